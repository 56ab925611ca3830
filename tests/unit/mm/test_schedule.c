/* SPDX-License-Identifier: MIT */
/*
 * test_schedule.c: the memory manager on several CPUs whose order a seed determines, as it is, and with deliberate
 * bugs of locking. Each run is a process of its own, since a bug may spoil anything.
 *
 * SCHEDULE_SEED=N in the environment: that seed alone, as it is, which is how a seed that failed is run again.
 * SCHEDULE_SEEDS=N: that many seeds.
 */
#include "schedule/schedule.h"

#include "lib/lock_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPUS       3
#define OPERATIONS 60
#define SLOTS      6

/* Seeds of a clean run, and seeds within which each bug must be found. */
#define CLEAN_SEEDS 40
#define BUG_SEEDS   200

void __wrap_spin_lock(struct spinlock *lock);
void __real_spin_lock(struct spinlock *lock);
void __wrap_spin_unlock(struct spinlock *lock);
void __real_spin_unlock(struct spinlock *lock);

void __wrap_lock_check_found(const struct lock_finding *finding);
void __real_lock_check_found(const struct lock_finding *finding);

enum bug { NO_BUG, LEFT_OUT, UNLOCKED_EARLY, WRONG_ORDER };

static enum bug bug;
static struct spinlock *bug_lock;  /* of the class: all of its locks */
static struct spinlock *bug_inner; /* WRONG_ORDER: is taken while bug_lock is held */
static u32 inner_held;             /* bit n: by CPU n */

/* How a run ended; shared with the process that ran it. */
struct ended {
	struct schedule_result result;
	bool finding; /* of the checks of locks */
};
static struct ended *ended;

/* ---- bugs ---- */

/* The run ends there: another use of an unlocked structure may do anything. */
void __wrap_lock_check_found(const struct lock_finding *finding)
{
	ended->finding = true;
	if (bug)
		_exit(0);
	__real_lock_check_found(finding);
}

static bool has_bug(const struct spinlock *lock)
{
	return bug && lock == bug_lock;
}

void __wrap_spin_lock(struct spinlock *lock)
{
	schedule_point(2);
	if (has_bug(lock) && bug == LEFT_OUT)
		return;
	__real_spin_lock(lock);
	if (has_bug(lock) && bug == UNLOCKED_EARLY) {
		__real_spin_unlock(lock);
		schedule_point(2);
	}
	if (has_bug(lock) && bug == WRONG_ORDER && bug_inner->holder != sim_number + 1) {
		__real_spin_lock(bug_inner);
		inner_held |= 1u << sim_number;
	}
}

void __wrap_spin_unlock(struct spinlock *lock)
{
	schedule_point(2);
	if (has_bug(lock) && bug != WRONG_ORDER)
		return;
	if (has_bug(lock) && inner_held & 1u << sim_number) {
		inner_held &= ~(1u << sim_number);
		__real_spin_unlock(bug_inner);
	}
	__real_spin_unlock(lock);
}

/* ---- work ---- */

struct slot {
	unsigned long addr, pages;
	u64 stamp;
};

static u64 randoms[SIM_CPUS];

static u64 pick(u32 cpu, u64 below)
{
	randoms[cpu] = randoms[cpu] * 6364136223846793005u + 1442695040888963407u;
	return (randoms[cpu] >> 33) % below;
}

static void make(u32 cpu, struct slot *slot)
{
	slot->pages = pick(cpu, 3) ? 1 + pick(cpu, 6) : 33 + pick(cpu, 30);
	slot->stamp = randoms[cpu];
	slot->addr = (unsigned long)vmalloc(slot->pages * PAGE_SIZE);
	for (unsigned long page = 0; slot->addr && page < slot->pages; page++)
		cr_assert(sim_write(slot->addr + page * PAGE_SIZE, slot->stamp + page));
}

static void destroy(struct slot *slot)
{
	u64 value;

	for (unsigned long page = 0; page < slot->pages; page++) {
		cr_assert(sim_read(slot->addr + page * PAGE_SIZE, &value));
		cr_assert_eq(value, slot->stamp + page, "somebody else's");
	}
	vfree((void *)slot->addr);
	slot->addr = 0;
}

static void work(u32 cpu)
{
	struct slot slots[SLOTS] = { 0 };
	void *object = NULL;

	sim_cpu_start(cpu);
	for (int i = 0; i < OPERATIONS; i++) {
		struct slot *slot = &slots[pick(cpu, SLOTS)];

		sim_poll();
		if (slot->addr)
			destroy(slot);
		else
			make(cpu, slot);
		if (!pick(cpu, 8))
			vmalloc_purge();
		kfree(object);
		object = kmalloc(8ul << pick(cpu, 12), GFP_KERNEL);
	}
	kfree(object);
	for (int i = 0; i < SLOTS; i++)
		if (slots[i].addr)
			destroy(&slots[i]);
	sim_cpu_stop();
}

/* ---- runs ---- */

static void run_here(u64 seed, bool checks)
{
	arch_nr_cpus = CPUS;
	lock_check_on = checks;
	for (u32 i = 0; i < CPUS; i++) {
		sim_cpus[i].state = i ? CPU_IDLE : CPU_RUNNING;
		randoms[i] = seed * SIM_CPUS + i;
	}
	sim_cpu_stop();
	schedule_run(seed, CPUS, work, &ended->result);
	bug = NO_BUG;
	if (ended->result.deadlock)
		_exit(0);
	lock_check_on = false;
	sim_cpu_start(0);
	vmalloc_purge();
	check_machine();
	_exit(0);
}

/* Runs a seed in a process of its own; true if it ended as it must. checks: those of lib/lock_check.h. */
static bool run(u64 seed, bool checks)
{
	int status = -1;
	pid_t child;

	memset(ended, 0, sizeof(*ended));
	fflush(stdout);
	child = fork();
	cr_assert_neq(child, -1);
	if (!child) {
		/* The message of a failure that is expected. */
		if (bug && !freopen("/dev/null", "w", stderr))
			_exit(1);
		run_here(seed, checks);
	}
	waitpid(child, &status, 0);
	return !status && !ended->result.deadlock && !ended->finding;
}

static void boot(void)
{
	sim_boot(KVMAP_POLICY_STRICT);
	ended = mmap(NULL, sizeof(*ended), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert(ended != MAP_FAILED);
}

/* The first seed that finds the bug; fails the test if none does. A second run of it must be the same. */
static struct ended find(enum bug planted, struct spinlock *lock, bool checks)
{
	struct ended first;
	u64 seed = 1;

	boot();
	bug = planted;
	bug_lock = lock;
	bug_inner = &vmap_purge_lock;
	while (seed <= BUG_SEEDS && run(seed, checks))
		seed++;
	cr_assert_leq(seed, BUG_SEEDS);
	printf("# bug %d: seed %lu, %lu steps, %lu switches%s%s\n", planted, seed, ended->result.steps,
	       ended->result.switches, ended->result.deadlock ? ", deadlock" : "",
	       ended->finding ? ", finding of a check" : "");
	first = *ended;
	cr_assert(!run(seed, checks));
	cr_assert_eq(first.result.trace, ended->result.trace);
	cr_assert_eq(first.result.steps, ended->result.steps);
	bug = NO_BUG;
	cr_assert(run(seed, checks), "the same seed without the bug");
	return first;
}

Test(schedule, every_seed_keeps_every_claim_true)
{
	const char *one = getenv("SCHEDULE_SEED"), *seeds = getenv("SCHEDULE_SEEDS");
	u64 last = seeds ? strtoull(seeds, NULL, 0) : CLEAN_SEEDS, traces[2] = { 0 };

	boot();
	if (one) {
		cr_assert(run(strtoull(one, NULL, 0), true));
		return;
	}
	for (u64 seed = 1; seed <= last; seed++) {
		if (!run(seed, true))
			printf("# SCHEDULE_SEED=%lu fails, at step %lu\n", seed, ended->result.steps);
		cr_assert(!ended->result.deadlock && !ended->finding && ended->result.switches > 1000);
		cr_assert_neq(ended->result.trace, traces[(seed - 1) & 1], "another seed, another schedule");
		traces[seed & 1] = ended->result.trace;
	}
}

Test(schedule, a_lock_that_is_left_out_breaks_a_claim)
{
	cr_assert(!find(LEFT_OUT, &free_vmap_area_lock, false).finding);
}

Test(schedule, a_lock_that_is_released_too_early_breaks_a_claim)
{
	cr_assert(!find(UNLOCKED_EARLY, &vmap_area_lock, false).finding);
}

Test(schedule, locks_in_the_wrong_order_end_in_a_deadlock)
{
	cr_assert(find(WRONG_ORDER, &cpu_caches[1].lazy.lock, false).result.deadlock);
}

Test(schedule, the_checks_find_a_lock_that_is_left_out_in_any_schedule)
{
	cr_assert(find(LEFT_OUT, &vmap_area_cache.lock, true).finding);
}

Test(schedule, the_checks_find_a_lock_that_is_released_too_early_in_any_schedule)
{
	cr_assert(find(UNLOCKED_EARLY, &free_vmap_area_lock, true).finding);
}

Test(schedule, the_checks_find_a_wrong_order_without_a_deadlock)
{
	struct ended found = find(WRONG_ORDER, &cpu_caches[1].lazy.lock, true);

	cr_assert(found.finding);
}
