/* SPDX-License-Identifier: MIT */
/*
 * A running machine can be held by another thread: it stands still, and does not notice.
 */
#include "guest.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#define COUNTER_GPA 0x80000

/* incl COUNTER_GPA; jmp to it: counts for ever. */
static const char counts[] = "\xff\x05\0\0\x08\0\xeb\xf8";
/* mov $0x3f8, %edx; incl COUNTER_GPA; out %al, (%dx); jmp to the incl: counts its exits. */
static const char exits[] = "\xba\xf8\x03\0\0\xff\x05\0\0\x08\0\xee\xeb\xf7";

struct runner {
	struct machine *machine;
	unsigned int milliseconds;
	struct machine_event event;
	double took;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *run(void *argument)
{
	struct runner *runner = argument;
	double start = now();

	runner->event = guest_run(runner->machine, runner->milliseconds);
	runner->took = now() - start;
	return NULL;
}

static uint32_t counter(struct machine *machine)
{
	return *(const volatile uint32_t *)view_bytes(guest_view(machine), COUNTER_GPA, 4);
}

/* Without asking the machine, whose vCPUs run. */
static const volatile uint32_t *counter_of(struct machine *machine)
{
	return view_bytes(guest_view(machine), COUNTER_GPA, 4);
}

static void wait_until_it_counts(const volatile uint32_t *number)
{
	uint32_t before = *number;

	while (*number == before)
		usleep(1000);
}

static void stands_still_when_held(const void *code, size_t size, unsigned int cpus)
{
	struct runner runner = { .machine = guest_boot_holdable(code, size, cpus), .milliseconds = 1000 };
	const volatile uint32_t *number = counter_of(runner.machine);
	struct view_cpu registers[VIEW_CPUS_MAX];
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
		usleep(5000);
		cr_expect(eq(u32, *number, held));
		machine_release(runner.machine);
	}
	wait_until_it_counts(number);
	pthread_join(thread, NULL);
	cr_expect(eq(int, runner.event.type, MACHINE_TIMEOUT));
	machine_destroy(runner.machine);
}

Test(hold, a_guest_that_computes_stands_still, .timeout = 60)
{
	stands_still_when_held(counts, sizeof(counts) - 1, 1);
}

Test(hold, a_guest_of_many_cpus_stands_still, .timeout = 60)
{
	stands_still_when_held(counts, sizeof(counts) - 1, 4);
}

Test(hold, a_guest_that_makes_exits_for_ever_stands_still, .timeout = 60)
{
	stands_still_when_held(exits, sizeof(exits) - 1, 1);
}

Test(hold, the_time_of_a_hold_is_not_the_guests, .timeout = 60)
{
	struct runner runner = { .machine = guest_boot_holdable(counts, sizeof(counts) - 1, 1),
				 .milliseconds = 300 };
	const volatile uint32_t *number = counter_of(runner.machine);
	pthread_t thread;

	pthread_create(&thread, NULL, run, &runner);
	wait_until_it_counts(number);
	machine_hold(runner.machine);
	usleep(600 * 1000);
	machine_release(runner.machine);
	wait_until_it_counts(number);
	pthread_join(thread, NULL);
	cr_expect(eq(int, runner.event.type, MACHINE_TIMEOUT));
	cr_expect(ge(dbl, runner.took, 0.9));
	machine_destroy(runner.machine);
}

Test(hold, a_machine_that_is_held_before_it_runs_starts_when_it_is_released, .timeout = 60)
{
	struct runner runner = { .machine = guest_boot_holdable(counts, sizeof(counts) - 1, 1),
				 .milliseconds = 100 };
	const volatile uint32_t *number = counter_of(runner.machine);
	pthread_t thread;

	machine_hold(runner.machine);
	pthread_create(&thread, NULL, run, &runner);
	usleep(200 * 1000);
	cr_expect(eq(u32, *number, 0));
	machine_release(runner.machine);
	pthread_join(thread, NULL);
	cr_expect(gt(u32, counter(runner.machine), 0));
	machine_destroy(runner.machine);
}

Test(hold, a_machine_that_has_ended_can_be_held_and_answers, .timeout = 60)
{
	/* mov $7, %eax; out %eax, $0xf4 */
	static const char ends[] = EXIT_WITH("\x07");
	struct machine *machine = guest_boot_holdable(ends, sizeof(ends) - 1, 1);
	struct view_cpu registers[VIEW_CPUS_MAX];
	struct view_translation translation;
	struct error error;

	cr_assert(eq(int, guest_run(machine, 5000).type, MACHINE_EXIT));
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
