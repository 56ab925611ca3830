/* SPDX-License-Identifier: MIT */
/*
 * Another thread can hold a running machine: its vCPUs stop, and continue unchanged after the release.
 */
#include "base/clock.h"
#include "guest.h"

#include <ctype.h>
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Guest variables, 32 bits each. */
#define COUNTER_GPA 0x80000 /* the guest increments it */
#define STOP_GPA    0x80004 /* the guest exits once it is not 0 */

#define MILLISECOND 1000000ull

/* incl COUNTER_GPA; cmpl $0, STOP_GPA; je to the incl; exit: counts its instructions. */
static const char counts[] = "\xff\x05\0\0\x08\0\x83\x3d\x04\0\x08\0\0\x74\xf1" EXIT_WITH("\x07");
/* mov $0x3f8, %edx; incl COUNTER_GPA; out %al, (%dx); cmpl $0, STOP_GPA; je to the incl; exit: counts its exits. */
static const char exits[] =
	"\xba\xf8\x03\0\0\xff\x05\0\0\x08\0\xee\x83\x3d\x04\0\x08\0\0\x74\xf0" EXIT_WITH("\x07");

struct runner {
	struct machine *machine;
	uint64_t deadline_ns; /* 0: none */
	struct machine_event event;
	uint64_t end_ns;
};

static void *run(void *argument)
{
	struct runner *runner = argument;
	struct error error;

	if (machine_run(runner->machine, runner->deadline_ns, &runner->event, &error) < 0)
		cr_fatal("%s", error.text);
	runner->end_ns = clock_monotonic_ns();
	return NULL;
}

/* Taken before the guest runs: guest_view() reads registers. */
static volatile uint32_t *variable(struct machine *machine, uint64_t gpa)
{
	return (volatile uint32_t *)view_bytes(guest_view(machine), gpa, 4);
}

static void wait_until_it_counts(const volatile uint32_t *number)
{
	uint32_t before = *number;

	while (*number == before)
		sched_yield();
}

static void wait_until_ns(uint64_t when)
{
	while (clock_monotonic_ns() < when)
		sched_yield();
}

/* The number after `name` in /proc/self/task/THREAD/status, or the letter there; 0: not there. */
static unsigned long status_of(const char *thread, const char *name)
{
	char path[300], line[200];
	unsigned long value = 0;
	size_t length = strlen(name);
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%s/status", thread);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, length) == 0 && line[length] == ':') {
			const char *word = line + length + 1 + strspn(line + length + 1, " \t");

			value = isdigit((unsigned char)*word) ? strtoul(word, NULL, 10)
							      : (unsigned char)*word;
		}
	}
	if (file)
		fclose(file);
	return value;
}

/* True if all other threads sleep. *sleeps_out: how often they went to sleep, summed up. */
static bool others_sleep(unsigned long *sleeps_out)
{
	DIR *folder = opendir("/proc/self/task");
	const struct dirent *entry;
	bool all = true;

	cr_assert(ne(ptr, folder, NULL));
	*sleeps_out = 0;
	while ((entry = readdir(folder))) {
		if (!isdigit((unsigned char)*entry->d_name) || atoi(entry->d_name) == getpid())
			continue;
		all = all && status_of(entry->d_name, "State") == 'S';
		*sleeps_out += status_of(entry->d_name, "voluntary_ctxt_switches");
	}
	closedir(folder);
	return all;
}

/*
 * Waits until all other threads sleep, and did so at least `least` times; or until the guest counts. The number
 * of times.
 */
static unsigned long wait_until_others_sleep(unsigned long least, const volatile uint32_t *number)
{
	unsigned long sleeps;

	while ((!others_sleep(&sleeps) || sleeps < least) && !*number)
		sched_yield();
	return sleeps;
}

static void stands_still_when_held(const void *code, size_t size, unsigned int cpus)
{
	struct runner runner = { .machine = guest_boot_holdable(code, size, cpus) };
	const volatile uint32_t *number = variable(runner.machine, COUNTER_GPA);
	volatile uint32_t *end = variable(runner.machine, STOP_GPA);
	struct view_cpu registers[MACHINE_CPUS_MAX];
	struct error error;
	pthread_t thread;
	uint32_t held;

	pthread_create(&thread, NULL, run, &runner);
	for (int times = 0; times < 20; times++) {
		wait_until_it_counts(number);
		machine_hold(runner.machine);
		held = *number;
		cr_assert(eq(int, machine_registers(runner.machine, registers, &error), (int)cpus));
		cr_expect(ge(u64, registers[0].rip, IMAGE_GPA));
		cr_expect(lt(u64, registers[0].rip, IMAGE_GPA + size));
		for (int reads = 0; reads < 1000; reads++) {
			sched_yield();
			cr_assert(eq(u32, *number, held));
		}
		machine_release(runner.machine);
	}
	wait_until_it_counts(number);
	*end = 1;
	pthread_join(thread, NULL);
	cr_expect(eq(int, runner.event.type, MACHINE_EXIT));
	machine_destroy(runner.machine);
}

Test(hold, a_guest_that_computes_stands_still)
{
	stands_still_when_held(counts, sizeof(counts) - 1, 1);
}

Test(hold, a_guest_of_many_cpus_stands_still)
{
	stands_still_when_held(counts, sizeof(counts) - 1, 4);
}

Test(hold, a_guest_that_makes_exits_for_ever_stands_still)
{
	stands_still_when_held(exits, sizeof(exits) - 1, 1);
}

Test(hold, the_deadline_moves_by_the_time_of_the_hold)
{
	struct runner runner = { .machine = guest_boot_holdable(counts, sizeof(counts) - 1, 1) };
	const volatile uint32_t *number = variable(runner.machine, COUNTER_GPA);
	uint64_t held, released;
	pthread_t thread;

	runner.deadline_ns = clock_monotonic_ns() + 100 * MILLISECOND;
	machine_hold(runner.machine);
	held = clock_monotonic_ns();
	pthread_create(&thread, NULL, run, &runner);
	wait_until_ns(runner.deadline_ns + 50 * MILLISECOND);
	cr_expect(eq(u32, *number, 0), "a machine that is held before it runs does not start");
	released = clock_monotonic_ns();
	machine_release(runner.machine);
	pthread_join(thread, NULL);
	cr_expect(eq(int, runner.event.type, MACHINE_TIMEOUT));
	cr_expect(ge(u64, runner.end_ns, runner.deadline_ns + (released - held)));
	machine_destroy(runner.machine);
}

/* Without a deadline, so that a host of any load starts it. */
Test(hold, a_machine_that_is_held_before_it_runs_starts_when_it_is_released)
{
	struct runner runner = { .machine = guest_boot_holdable(counts, sizeof(counts) - 1, 1) };
	const volatile uint32_t *number = variable(runner.machine, COUNTER_GPA);
	volatile uint32_t *end = variable(runner.machine, STOP_GPA);
	struct machine_facts facts;
	unsigned long sleeps;
	pthread_t thread;

	machine_hold(runner.machine);
	sleeps = wait_until_others_sleep(1, number);
	pthread_create(&thread, NULL, run, &runner);
	/* The thread in machine_run() waits for the round, and that of the vCPU, which it woke, for the release. */
	wait_until_others_sleep(sleeps + 2, number);
	machine_facts(runner.machine, &facts);
	cr_expect(eq(u64, facts.exits, 0));
	cr_expect(eq(u32, *number, 0));
	machine_release(runner.machine);
	wait_until_it_counts(number);
	*end = 1;
	pthread_join(thread, NULL);
	cr_expect(eq(int, runner.event.type, MACHINE_EXIT));
	machine_destroy(runner.machine);
}

Test(hold, a_machine_that_has_ended_can_be_held_and_answers)
{
	/* mov $7, %eax; out %eax, $0xf4 */
	static const char ends[] = EXIT_WITH("\x07");
	struct machine *machine = guest_boot_holdable(ends, sizeof(ends) - 1, 1);
	struct view_cpu registers[MACHINE_CPUS_MAX];
	struct view_translation translation;
	struct error error;

	cr_assert(eq(int, guest_run(machine, 0).type, MACHINE_EXIT));
	machine_hold(machine);
	cr_expect(eq(int, machine_registers(machine, registers, &error), 1));
	cr_expect(eq(u64, registers[0].rax, 7));
	/* Paging is off: an address is its own. */
	cr_assert(eq(int, machine_translate(machine, 0, 0x1234, &translation), 0));
	cr_expect(eq(u64, translation.gpa, 0x1234));
	cr_expect(eq(int, machine_translate(machine, 1, 0x1234, &translation), -1));
	machine_release(machine);
	machine_destroy(machine);
}
