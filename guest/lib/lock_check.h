/* SPDX-License-Identifier: MIT */
/*
 * lock_check.h: checks of how locks are used, as Linux's lockdep does them, compiled with CHECK_LOCKS only:
 *
 * - A lock is released by the CPU that has taken it, and is not taken a second time by that CPU.
 * - Accessors of a structure that a lock protects are called by the CPU that holds it (lockdep_assert_held()).
 * - Locks are ordered. Each lock has a class; whenever a CPU takes a lock while it holds another, the pair of
 *   classes becomes an edge of a graph. An edge that closes a circle is a finding, whether or not two CPUs
 *   have ever waited for each other; so is one against the order of the table of locks.
 * - A lock that is taken in the handler of an interrupt that comes anywhere is never taken elsewhere with
 *   interrupts on. The work of interrupt_run() comes where its CPU holds no lock: it is no such interrupt.
 */
#ifndef GUEST_LIB_LOCK_CHECK_H
#define GUEST_LIB_LOCK_CHECK_H

#include "lib/spinlock.h"

/* X(NAME, wording): the findings. */
#define LOCK_FINDINGS(X)                                                                                     \
	X(NONE, "no finding")                                                                                \
	X(RECURSIVE, "is taken by the CPU that holds it")                                                    \
	X(ORDER, "is taken against the order of locks")                                                      \
	X(NOT_HELD, "is not held, as what it protects is used")                                              \
	X(NOT_HOLDER, "is released by a CPU that does not hold it")                                          \
	X(INTERRUPT, "is taken in an interrupt, and elsewhere with interrupts on")                           \
	X(HELD, "is held where no lock may be")

#define LOCK_FINDING_ENUM(NAME, wording) LOCK_##NAME,
enum lock_finding_kind { LOCK_FINDINGS(LOCK_FINDING_ENUM) LOCK_NR_FINDINGS };
#undef LOCK_FINDING_ENUM

/* Names are of lock_table; "lock" for one that it does not have. Places are return addresses; NULL = none. */
struct lock_finding {
	u32 kind; /* enum lock_finding_kind */
	u32 cpu;
	const struct spinlock *lock;
	const char *name;
	const void *at;
	/* ORDER: the lock that the CPU holds; INTERRUPT: this lock's other use. */
	const struct spinlock *held;
	const char *held_name;
	const void *held_at;
	/* ORDER, of a circle: where its other end was taken, while which lock was held that had been taken where. */
	const char *reverse_name, *reverse_held_name;
	const void *reverse_at, *reverse_held_at;
};

#ifdef CHECK_LOCKS

/* Off until it is set, which must be while no lock is held. */
extern bool lock_check_on;

/* The first finding since lock_check_take(), which returns false if there is none. */
bool lock_check_take(struct lock_finding *out);

void lock_check_acquiring(struct spinlock *lock, const void *at);
void lock_check_acquired(struct spinlock *lock, const void *at);
void lock_check_releasing(struct spinlock *lock, const void *at);
void lock_check_held(const struct spinlock *lock, const void *at);
void lock_check_none_held(const void *at);

/* ---- called here, implemented above ---- */

/*
 * Row of the lock in the table of locks, which is in lock order, and its name; ~0 if the table does not have it.
 * name: of the row, if the place of the lock does not say it; else NULL.
 */
#define LOCK_ROWS_MAX 16 /* rows that the table has at most */
u32 lock_table_row(const struct spinlock *lock, const char *name, const char **name_out);

/* The CPU and its interrupts. */
struct lock_context {
	u32 cpu;
	bool in_interrupt; /* in the handler of an interrupt that comes anywhere */
	bool interrupts_on;
};
struct lock_context lock_context(void);

/* A finding, before lock_check_take() can have it. */
void lock_check_found(const struct lock_finding *finding);

#endif
#endif
