/* SPDX-License-Identifier: MIT */
/*
 * spinlock.h: spinlocks. A CPU that waits takes part in TLB shootdowns (arch_relax()), so that the holder may
 * start one. Interrupt handlers take no locks, so the interrupt flag is left alone.
 *
 * With CHECK_LOCKS each lock names its holder, and lib/lock_check.h checks how locks are used. Without it the
 * checks compile to nothing.
 */
#ifndef GUEST_LIB_SPINLOCK_H
#define GUEST_LIB_SPINLOCK_H

#include "lib/platform.h"
#include "lib/types.h"

struct spinlock {
	u32 locked;
	u64 acquired;
	u64 contended; /* acquisitions that had to wait */
#ifdef CHECK_LOCKS
	u32 holder;     /* 1 + number of the CPU; 0 = none */
	u32 class;      /* 1 + index of its class in lock_check.c; 0 = not looked up yet */
	const void *at; /* where the holder has taken it */
#endif
};

/* Waits until this CPU has taken the lock, which another CPU holds. */
void spin_wait(struct spinlock *lock);

#ifdef CHECK_LOCKS

bool spin_trylock(struct spinlock *lock);
void spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);

/* The lock is of that row of lock_table, which does not have its address. */
void lockdep_set_class(struct spinlock *lock, const char *row_name);

/* This CPU must hold the lock; it must hold no lock at all. Anything else is a finding. */
void lockdep_assert_held(const struct spinlock *lock);
void lockdep_assert_none_held(void);

#else

static inline bool spin_trylock(struct spinlock *lock)
{
	return !__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE);
}

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

#define lockdep_set_class(lock, row_name) ((void)sizeof(lock))
#define lockdep_assert_held(lock)         ((void)sizeof(lock))
#define lockdep_assert_none_held()        ((void)0)

#endif
#endif
