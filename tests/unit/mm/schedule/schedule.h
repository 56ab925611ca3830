/* SPDX-License-Identifier: MIT */
/*
 * schedule.h: runs simulated CPUs one at a time, in an order that a seed determines. A CPU may be switched at each
 * atomic access, lock, unlock and wait, and, less often, at each other access to memory. So a race that a seed
 * shows is shown again by that seed. One process, no threads.
 */
#ifndef TESTS_UNIT_MM_SCHEDULE_H
#define TESTS_UNIT_MM_SCHEDULE_H

#include "sim.h"

/* Steps after which a run counts as a deadlock: no run of these tests has a tenth of that. */
#define SCHEDULE_STEPS_MAX 30000000ul

struct schedule_result {
	u64 steps;
	u64 switches;
	u64 trace; /* hash of the CPU and the step of each switch: equal for equal schedules */
	bool deadlock;
};

/*
 * Calls function(cpu) on CPUs 0 to `cpus` - 1 until all have returned. Called outside of any. *result is up to date
 * at each step. After a deadlock the machine cannot be used any more.
 */
void schedule_run(u64 seed, u32 cpus, void (*function)(u32 cpu), struct schedule_result *result);

/* One place where the CPU may be switched: one of `every` such places, on average, does; 1: always. */
void schedule_point(u32 every);

#endif
