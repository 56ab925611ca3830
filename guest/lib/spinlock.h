/* SPDX-License-Identifier: MIT */
/*
 * spinlock.h: spinlocks. A CPU that waits takes part in TLB shootdowns (arch_relax()), so that the holder may
 * start one. Interrupt handlers take no locks, so the interrupt flag is left alone.
 */
#ifndef GUEST_LIB_SPINLOCK_H
#define GUEST_LIB_SPINLOCK_H

#include "lib/platform.h"
#include "lib/types.h"

struct spinlock {
	u32 locked;
	u64 acquired;
	u64 contended; /* acquisitions that had to wait */
};

static inline bool spin_trylock(struct spinlock *lock)
{
	return !__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE);
}

/* Waits until this CPU has taken the lock, which another CPU holds. */
void spin_wait(struct spinlock *lock);

static inline void spin_lock(struct spinlock *lock)
{
	if (unlikely(!spin_trylock(lock)))
		spin_wait(lock);
	lock->acquired++;
}

static inline void spin_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

#endif
