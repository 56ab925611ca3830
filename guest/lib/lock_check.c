/* SPDX-License-Identifier: MIT */
/*
 * lock_check.c: the locks that each CPU holds, and the graph of lock classes. Each CPU changes its own list only; the
 * graph and the finding are under `busy`, which is no spinlock of spinlock.h, since that would check itself.
 */
#include "lib/lock_check.h"
#include "kvmap/limits.h"

#ifdef CHECK_LOCKS

#define HELD_MAX    8
#define CLASSES_MAX 32

bool lock_check_on;

struct held {
	struct spinlock *lock;
	u32 class;
	const void *at;
};

static struct {
	struct held locks[HELD_MAX];
	u32 nr;
} held[KVMAP_CPUS_MAX];

/* A row of the table of locks, or a single lock that the table does not have. */
struct class
{
	const struct spinlock *lock; /* NULL: a row */
	u32 row;
	const char *name;
	u32 after;                 /* bit n: class n was taken while one of this class was held */
	const void *in_interrupt;  /* where it was first taken so */
	const void *interrupts_on; /* likewise */
};

/* Where an edge of the graph was first seen. */
struct edge {
	const void *held_at, *at;
};

static struct class classes[CLASSES_MAX];
static struct edge edges[CLASSES_MAX][CLASSES_MAX];
static u32 nr_classes, busy;
static struct lock_finding first;

static void busy_lock(void)
{
	while (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE))
		arch_relax();
}

static void busy_unlock(void)
{
	__atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

static void found(struct lock_finding *finding)
{
	lock_check_found(finding);
	busy_lock();
	if (!first.kind)
		first = *finding;
	busy_unlock();
}

bool lock_check_take(struct lock_finding *out)
{
	if (!READ_ONCE(first.kind))
		return false;
	busy_lock();
	*out = first;
	first.kind = LOCK_NONE;
	busy_unlock();
	return true;
}

/* ---- classes ---- */

/* Under `busy`. Locks that find no room share the last class, in which no order is checked. */
static u32 class_find(const struct spinlock *lock, const char *row_name)
{
	const char *name = "lock";
	u32 row = lock_table_row(lock, row_name, &name), n = 0;

	while (n < nr_classes &&
	       (row == ~0u ? classes[n].lock != lock : classes[n].lock || classes[n].row != row))
		n++;
	if (n < nr_classes || n == CLASSES_MAX - 1)
		return n;
	classes[n] = (struct class){ .lock = row == ~0u ? lock : NULL, .row = row, .name = name };
	nr_classes++;
	return n;
}

static u32 class_set(struct spinlock *lock, const char *row_name)
{
	u32 class = __atomic_load_n(&lock->class, __ATOMIC_ACQUIRE);

	if (class)
		return class - 1;
	busy_lock();
	class = class_find(lock, row_name);
	busy_unlock();
	__atomic_store_n(&lock->class, class + 1, __ATOMIC_RELEASE);
	return class;
}

static u32 class_of(struct spinlock *lock)
{
	return class_set(lock, NULL);
}

void lockdep_set_class(struct spinlock *lock, const char *row_name)
{
	class_set(lock, row_name);
}

static const char *class_name(u32 class)
{
	return classes[class].name ? classes[class].name : "lock";
}

/* Under `busy`. The class after `from` on a way to `to` in the graph; CLASSES_MAX if there is none. */
static u32 way_to(u32 from, u32 to)
{
	u32 first_step[CLASSES_MAX], reached = 1u << from, pending = 1u << from;

	while (pending) {
		u32 n = (u32)__builtin_ctz(pending), more = classes[n].after & ~reached;

		pending &= pending - 1;
		for (; more; more &= more - 1) {
			u32 next = (u32)__builtin_ctz(more);

			first_step[next] = n == from ? next : first_step[n];
			reached |= 1u << next;
			pending |= 1u << next;
		}
		if (reached & 1u << to && to != from)
			return first_step[to];
	}
	return CLASSES_MAX;
}

/* ---- order ---- */

static bool against_table(u32 before, u32 after)
{
	return classes[before].row != ~0u && classes[after].row != ~0u &&
	       classes[after].row <= classes[before].row;
}

/* The pair is an edge of the graph already. */
static bool is_known(const struct held *before, u32 class)
{
	return __atomic_load_n(&classes[before->class].after, __ATOMIC_ACQUIRE) & 1u << class;
}

/* Adds an edge, unless it closes a circle or is against the table: then false, and *finding is filled in. */
static bool edge_add(const struct held *before, u32 class, const void *at, struct lock_finding *finding)
{
	u32 step;
	bool right;

	busy_lock();
	step = way_to(class, before->class);
	right = before->class != class && step == CLASSES_MAX && !against_table(before->class, class);
	if (right) {
		edges[before->class][class] = (struct edge){ before->at, at };
		__atomic_fetch_or(&classes[before->class].after, 1u << class, __ATOMIC_RELEASE);
	} else if (step != CLASSES_MAX) {
		finding->reverse_name = class_name(step);
		finding->reverse_at = edges[class][step].at;
		finding->reverse_held_name = class_name(class);
		finding->reverse_held_at = edges[class][step].held_at;
	}
	busy_unlock();
	return right;
}

static void order_check(const struct held *before, u32 class, struct lock_finding *finding)
{
	if (class == CLASSES_MAX - 1 || before->class == CLASSES_MAX - 1 || is_known(before, class))
		return;
	if (edge_add(before, class, finding->at, finding))
		return;
	finding->kind = LOCK_ORDER;
	finding->held = before->lock;
	finding->held_name = class_name(before->class);
	finding->held_at = before->at;
}

/* ---- interrupts ---- */

static void context_check(const struct lock_context *context, u32 class, struct lock_finding *finding)
{
	struct class *c = &classes[class];
	const void **use = context->in_interrupt    ? &c->in_interrupt
			   : context->interrupts_on ? &c->interrupts_on
						    : NULL;

	if (!use || READ_ONCE(*use) || class == CLASSES_MAX - 1)
		return;
	WRITE_ONCE(*use, finding->at);
	finding->held_at = context->in_interrupt ? READ_ONCE(c->interrupts_on) : READ_ONCE(c->in_interrupt);
	if (!finding->held_at)
		return;
	finding->kind = LOCK_INTERRUPT;
	finding->held_name = class_name(class);
}

/* ---- uses ---- */

static struct lock_finding finding_of(const struct spinlock *lock, u32 class, u32 cpu, const void *at)
{
	return (struct lock_finding){ .cpu = cpu, .lock = lock, .name = class_name(class), .at = at };
}

void lock_check_acquiring(struct spinlock *lock, const void *at)
{
	struct lock_context context;
	struct lock_finding finding;
	u32 class;

	if (!lock_check_on)
		return;
	context = lock_context();
	class = class_of(lock);
	finding = finding_of(lock, class, context.cpu, at);
	context_check(&context, class, &finding);
	for (u32 i = 0; i < held[context.cpu].nr && !finding.kind; i++) {
		const struct held *before = &held[context.cpu].locks[i];

		if (before->lock != lock) {
			order_check(before, class, &finding);
			continue;
		}
		finding.kind = LOCK_RECURSIVE;
		finding.held = lock;
		finding.held_name = finding.name;
		finding.held_at = before->at;
	}
	if (finding.kind)
		found(&finding);
}

void lock_check_acquired(struct spinlock *lock, const void *at)
{
	u32 cpu, class;

	if (!lock_check_on)
		return;
	cpu = lock_context().cpu;
	class = class_of(lock);
	lock->holder = cpu + 1;
	lock->at = at;
	if (held[cpu].nr < HELD_MAX)
		held[cpu].locks[held[cpu].nr++] = (struct held){ lock, class, at };
}

void lock_check_releasing(struct spinlock *lock, const void *at)
{
	u32 cpu, i;

	if (!lock_check_on)
		return;
	cpu = lock_context().cpu;
	for (i = held[cpu].nr; i && held[cpu].locks[i - 1].lock != lock; i--)
		;
	if (i) {
		lock->holder = 0;
		lock->at = NULL;
		held[cpu].nr--;
		for (i--; i < held[cpu].nr; i++)
			held[cpu].locks[i] = held[cpu].locks[i + 1];
	} else {
		struct lock_finding finding = finding_of(lock, class_of(lock), cpu, at);

		finding.kind = LOCK_NOT_HOLDER;
		found(&finding);
	}
}

void lock_check_held(const struct spinlock *lock, const void *at)
{
	struct lock_finding finding;
	u32 cpu;

	if (!lock_check_on)
		return;
	cpu = lock_context().cpu;
	for (u32 i = 0; i < held[cpu].nr; i++)
		if (held[cpu].locks[i].lock == lock)
			return;
	finding = finding_of(lock, class_of((struct spinlock *)lock), cpu, at);
	finding.kind = LOCK_NOT_HELD;
	found(&finding);
}

void lock_check_none_held(const void *at)
{
	struct lock_finding finding;
	u32 cpu;

	if (!lock_check_on)
		return;
	cpu = lock_context().cpu;
	if (!held[cpu].nr)
		return;
	finding = finding_of(held[cpu].locks[0].lock, held[cpu].locks[0].class, cpu, at);
	finding.kind = LOCK_HELD;
	finding.held = finding.lock;
	finding.held_name = finding.name;
	finding.held_at = held[cpu].locks[0].at;
	found(&finding);
}

#endif
