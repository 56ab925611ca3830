/* SPDX-License-Identifier: MIT */
/*
 * test_signals.c: signals as interrupts, which may come between any two instructions of a thread that is a
 * CPU. Their handler frees areas by vfree_atomic().
 */
#include "sim.h"

#include "mm/interrupt.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define CPUS  4
#define SLOTS 8

/* By CPU: what its handler frees next, NULL = nothing. */
static void *handed[CPUS];
static u32 interrupts[CPUS], freed[CPUS], refused[CPUS], postponed[CPUS];
static u32 at_work;
static u64 operations;

static struct worker {
	pthread_t thread;
	u64 random;
	u32 number;
	void *slots[SLOTS];
} workers[CPUS];

static u64 pick(struct worker *worker, u64 below)
{
	worker->random = worker->random * 6364136223846793005u + 1442695040888963407u;
	return (worker->random >> 33) % below;
}

/* Only the area changes: the handler restores the status of the interrupted code. */
static void handle(int signal)
{
	u32 cpu = sim_number, status = vmalloc_status();
	void *area = __atomic_exchange_n(&handed[cpu], NULL, __ATOMIC_ACQUIRE);

	(void)signal;
	irq_enter();
	interrupts[cpu]++;
	if (area) {
		vfree(area);
		if (vmalloc_status() == KVMAP_REFUSED_INTERRUPT) {
			/* Another CPU held the lock for long, as a thread that the host does not run: again later. */
			__atomic_store_n(&handed[cpu], area, __ATOMIC_RELEASE);
			postponed[cpu]++;
		} else {
			freed[cpu]++;
			refused[cpu] += vmalloc_status() != KVMAP_OK;
		}
	}
	irq_exit();
	this_cpu_cache()->vmalloc_status = status;
}

static void step(struct worker *worker)
{
	void **slot = &worker->slots[pick(worker, SLOTS)], *expected = NULL;
	u64 value;

	sim_poll();
	if (!*slot) {
		*slot = vmalloc((1 + pick(worker, 40)) * PAGE_SIZE);
		if (*slot)
			cr_assert(sim_write((unsigned long)*slot, (unsigned long)slot));
		return;
	}
	cr_assert(sim_read((unsigned long)*slot, &value) && value == (unsigned long)slot, "somebody else's");
	switch (pick(worker, 4)) {
	case 0: *slot = vrealloc(*slot, (1 + pick(worker, 40)) * PAGE_SIZE, GFP_KERNEL) ?: *slot; return;
	case 1: vfree(*slot); break;
	default: /* for the next interrupt, if there is none yet */
		if (!__atomic_compare_exchange_n(&handed[worker->number], &expected, *slot, false,
						 __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return;
	}
	*slot = NULL;
}

static void *work(void *argument)
{
	struct worker *worker = argument;

	sim_cpu_start(worker->number);
	for (u64 left = operations; left; left--)
		step(worker);
	sim_cpu_stop();
	__atomic_sub_fetch(&at_work, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Interrupts the CPUs in turn until all have finished. */
static void interrupt_all(void)
{
	const struct timespec pause = { .tv_nsec = 20000 };

	while (__atomic_load_n(&at_work, __ATOMIC_SEQ_CST)) {
		for (u32 i = 0; i < CPUS; i++)
			pthread_kill(workers[i].thread, SIGUSR1);
		nanosleep(&pause, NULL);
	}
}

Test(signals, an_interrupt_that_comes_anywhere_frees_areas_and_loses_nothing)
{
	const struct sigaction action = { .sa_handler = handle };
	const char *asked = getenv("MM_OPERATIONS");
	u32 interrupted = 0;

	sim_boot(KVMAP_POLICY_STRICT);
	arch_nr_cpus = CPUS;
	operations = asked ? strtoull(asked, NULL, 10) : 20000;
	sigaction(SIGUSR1, &action, NULL);
	sim_cpu_stop();
	at_work = CPUS;
	for (u32 i = 0; i < CPUS; i++) {
		workers[i] = (struct worker){ .number = i, .random = i + 1 };
		cr_assert_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	interrupt_all();
	for (u32 i = 0; i < CPUS; i++)
		pthread_join(workers[i].thread, NULL);
	sim_cpu_start(0);
	check_machine();
	for (u32 i = 0; i < CPUS; i++) {
		cr_assert_eq(refused[i], 0);
		cr_assert_lt(postponed[i], freed[i], "CPU %u: %u of %u postponed", i, postponed[i], freed[i]);
		interrupted += freed[i];
		vfree(handed[i]);
		for (u32 k = 0; k < SLOTS; k++)
			vfree(workers[i].slots[k]);
	}
	cr_assert_gt(interrupted, 0, "no interrupt has freed anything");
	vmalloc_purge();
	check_machine();
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES) + vm_stat_sum(NR_LAZY_PAGES), 0);
}
