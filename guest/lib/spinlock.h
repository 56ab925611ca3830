/* SPDX-License-Identifier: MIT */
/*
 * spinlock.h: a lock for a few instructions. Who waits for it goes on answering other CPUs (arch_relax()),
 * with interrupts on or off, so that its holder may wait for such an answer.
 */
#ifndef GUEST_LIB_SPINLOCK_H
#define GUEST_LIB_SPINLOCK_H

#include "arch/x86_64/irq.h"
#include "lib/types.h"

struct spinlock {
	u32 locked;
	u32 contended; /* acquisitions that had to wait */
	u64 acquired;
};

/* A moment of waiting for another CPU: guest/arch/x86_64/shootdown.c. */
void arch_relax(void);

static inline bool spin_trylock(struct spinlock *lock)
{
	return !__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE);
}

static inline void spin_lock(struct spinlock *lock)
{
	if (unlikely(!spin_trylock(lock))) {
		do
			while (__atomic_load_n(&lock->locked, __ATOMIC_RELAXED))
				arch_relax();
		while (!spin_trylock(lock));
		lock->contended++;
	}
	lock->acquired++;
}

static inline void spin_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

/* With interrupts off while it is held: for what interrupt handlers lock too. */
static inline u64 spin_lock_irqsave(struct spinlock *lock)
{
	u64 flags = irq_save();

	spin_lock(lock);
	return flags;
}

static inline void spin_unlock_irqrestore(struct spinlock *lock, u64 flags)
{
	spin_unlock(lock);
	irq_restore(flags);
}

#endif
