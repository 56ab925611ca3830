/* SPDX-License-Identifier: MIT */
/*
 * spinlock.c: waiting for a lock.
 */
#include "lib/spinlock.h"

void spin_wait(struct spinlock *lock)
{
	do
		while (__atomic_load_n(&lock->locked, __ATOMIC_RELAXED))
			arch_relax();
	while (!spin_trylock(lock));
	lock->contended++;
}
