/* SPDX-License-Identifier: MIT */
/*
 * schedule.c: CPUs as contexts of one thread. sim_number and sim_cpu_cache, which are of the thread, are set at
 * each switch. Compiled without the instrumentation of the memory manager.
 */
#include "schedule.h"

#include <sched.h>
#include <stdlib.h>
#include <ucontext.h>

#define STACK_BYTES (512ul << 10)

int __wrap_sched_yield(void);

static struct {
	bool running;
	u64 random;
	u32 current;
	u32 live; /* bit n: CPU n has not returned */
	void (*function)(u32 cpu);
	ucontext_t outside;
	ucontext_t contexts[SIM_CPUS];
	char *stacks[SIM_CPUS];
	struct schedule_result *result;
} schedule;

static u64 pick(u64 below)
{
	schedule.random = schedule.random * 6364136223846793005u + 1442695040888963407u;
	return (schedule.random >> 33) % below;
}

static void become(u32 cpu)
{
	schedule.current = cpu;
	sim_number = cpu;
	sim_cpu_cache = &cpu_caches[cpu];
	schedule.result->switches++;
	schedule.result->trace =
		(schedule.result->trace ^ schedule.result->steps ^ (u64)cpu << 56) * 0x100000001b3;
}

static u32 live_cpu(void)
{
	u32 n = (u32)pick((u64)__builtin_popcount(schedule.live)), live = schedule.live;

	while (n--)
		live &= live - 1;
	return (u32)__builtin_ctz(live);
}

void schedule_point(u32 every)
{
	u32 from = schedule.current, to;

	if (!schedule.running)
		return;
	if (++schedule.result->steps > SCHEDULE_STEPS_MAX) {
		schedule.result->deadlock = true;
		schedule.running = false;
		setcontext(&schedule.outside);
	}
	if (pick(every))
		return;
	to = live_cpu();
	if (to == from)
		return;
	become(to);
	swapcontext(&schedule.contexts[from], &schedule.contexts[to]);
}

/* A simulated CPU waits for another. */
int __wrap_sched_yield(void)
{
	schedule_point(1);
	return 0;
}

static void enter(void)
{
	u32 cpu = schedule.current;

	schedule.function(cpu);
	schedule.live &= ~(1u << cpu);
}

void schedule_run(u64 seed, u32 cpus, void (*function)(u32 cpu), struct schedule_result *result)
{
	schedule.random = seed;
	schedule.live = (1u << cpus) - 1;
	schedule.function = function;
	schedule.result = result;
	*result = (struct schedule_result){ 0 };
	for (u32 i = 0; i < cpus; i++) {
		schedule.stacks[i] = malloc(STACK_BYTES);
		getcontext(&schedule.contexts[i]);
		schedule.contexts[i].uc_stack.ss_sp = schedule.stacks[i];
		schedule.contexts[i].uc_stack.ss_size = STACK_BYTES;
		schedule.contexts[i].uc_link = &schedule.outside;
		makecontext(&schedule.contexts[i], enter, 0);
	}
	schedule.running = true;
	/* A CPU that returns continues here, too, as does a deadlock. */
	getcontext(&schedule.outside);
	if (schedule.live && !schedule.result->deadlock) {
		become(live_cpu());
		setcontext(&schedule.contexts[schedule.current]);
	}
	schedule.running = false;
	for (u32 i = 0; i < cpus; i++)
		free(schedule.stacks[i]);
}
