/* SPDX-License-Identifier: MIT */
/*
 * spinlock.h: a lock for a few instructions. Who waits for it goes on answering other CPUs (arch_relax()), so
 * that its holder may wait for such an answer. Interrupt handlers take no lock: interrupts stay as they are.
 */
#ifndef GUEST_LIB_SPINLOCK_H
#define GUEST_LIB_SPINLOCK_H

#include "lib/platform.h"
#include "lib/types.h"

struct spinlock {
	u32 locked;
	u32 contended; /* acquisitions that had to wait */
	u64 acquired;
};

static inline bool spin_trylock(struct spinlock *lock)
{
	return !__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE);
}

/* The lock is somebody else's: waits until it is this CPU's. */
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
