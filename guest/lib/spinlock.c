/* SPDX-License-Identifier: MIT */
/*
 * spinlock.c: waiting for a lock; with CHECK_LOCKS, checks around each use.
 */
#include "lib/spinlock.h"
#include "lib/lock_check.h"

#ifdef CHECK_LOCKS

static bool try(struct spinlock *lock)
{
	return !__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE);
}

bool spin_trylock(struct spinlock *lock)
{
	if (!try(lock))
		return false;
	lock_check_acquired(lock, __builtin_return_address(0));
	return true;
}

void spin_lock(struct spinlock *lock)
{
	lock_check_acquiring(lock, __builtin_return_address(0));
	if (!try(lock))
		spin_wait(lock);
	lock->acquired++;
	lock_check_acquired(lock, __builtin_return_address(0));
}

void spin_unlock(struct spinlock *lock)
{
	lock_check_releasing(lock, __builtin_return_address(0));
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

void lockdep_assert_held(const struct spinlock *lock)
{
	lock_check_held(lock, __builtin_return_address(0));
}

void lockdep_assert_none_held(void)
{
	lock_check_none_held(__builtin_return_address(0));
}

#else

static bool try(struct spinlock *lock)
{
	return spin_trylock(lock);
}

#endif

void spin_wait(struct spinlock *lock)
{
	do
		while (__atomic_load_n(&lock->locked, __ATOMIC_RELAXED))
			arch_relax();
	while (!try(lock));
	lock->contended++;
}
