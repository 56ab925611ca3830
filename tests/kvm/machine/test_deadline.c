/* SPDX-License-Identifier: MIT */
/*
 * A guest that does not end is stopped at its deadline, not before.
 */
#include "base/clock.h"
#include "guest.h"

#include <signal.h>
#include <sys/time.h>

static double now(void)
{
	return (double)clock_monotonic_ns() / 1e9;
}

/* A deadline in ms that no test reaches. */
#define FAR_AWAY (3600 * 1000)

/* No upper bound: on a loaded host the thread may get a CPU at any later time. */
static void stopped_after(struct machine *machine, unsigned int milliseconds)
{
	double start = now();
	struct machine_event event = guest_run(machine, milliseconds);
	double took = now() - start;

	cr_expect(eq(int, event.type, MACHINE_TIMEOUT));
	cr_expect(ge(dbl, took, milliseconds / 1e3));
}

Test(deadline, an_endless_loop_is_stopped)
{
	struct machine *machine = GUEST("\xeb\xfe");

	stopped_after(machine, 100);
	cr_expect(eq(u64, guest_view(machine)->cpus[0].rip, IMAGE_GPA));
	machine_destroy(machine);
}

Test(deadline, a_guest_that_prints_for_ever_is_stopped)
{
	/* mov $0x3f8, %edx; out %al, (%dx); jmp */
	struct machine *machine = GUEST("\xba\xf8\x03\0\0\xee\xeb\xfd");

	stopped_after(machine, 100);
	machine_destroy(machine);
}

Test(deadline, a_stopped_guest_can_go_on_to_another_deadline)
{
	struct machine *machine = GUEST("\xeb\xfe");

	stopped_after(machine, 50);
	stopped_after(machine, 150);
	machine_destroy(machine);
}

Test(deadline, a_deadline_that_has_passed_strikes_at_once)
{
	struct machine *machine = GUEST("\xeb\xfe");
	struct machine_event event;
	struct error error;

	cr_assert(eq(int, machine_run(machine, 1, &event, &error), 0));
	cr_expect(eq(int, event.type, MACHINE_TIMEOUT));
	machine_destroy(machine);
}

Test(deadline, a_guest_that_ends_in_time_is_not_stopped)
{
	struct machine *machine = GUEST("\xf4");

	cr_expect(eq(int, guest_run(machine, FAR_AWAY).type, MACHINE_HALT));
	machine_destroy(machine);
}

/* The timer of a run that ended early must not stop the next one. */
Test(deadline, it_does_not_outlive_its_run)
{
	unsigned int milliseconds = 50;
	struct machine *machine;

	for (;; milliseconds *= 2) {
		/* out to the doorbell; jmp . */
		machine = GUEST("\xba\x04\x0b\0\0\xef\xeb\xfe");
		if (guest_run(machine, milliseconds).type == MACHINE_DOORBELL)
			break;
		/* A loaded host: the deadline expired before the doorbell. */
		machine_destroy(machine);
	}
	stopped_after(machine, 2 * milliseconds);
	machine_destroy(machine);
}

static void ignore(int number)
{
	(void)number;
}

Test(deadline, other_signals_do_not_stop_the_guest)
{
	struct itimerval often = { { 0, 5000 }, { 0, 5000 } };
	struct machine *machine = GUEST("\xeb\xfe");

	signal(SIGALRM, ignore);
	setitimer(ITIMER_REAL, &often, NULL);
	stopped_after(machine, 100);
	machine_destroy(machine);
}

Test(deadline, a_signal_that_was_blocked_before_still_stops_the_guest)
{
	struct machine *machine = GUEST("\xeb\xfe");
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	stopped_after(machine, 100);
	machine_destroy(machine);
}

/* ---- a machine of four CPUs; CPU 0 starts none of the others ---- */

Test(deadline, an_endless_loop_on_one_of_many_cpus_is_stopped)
{
	struct machine *machine = GUEST_OF_MANY("\xeb\xfe", 4);
	const struct view *view;

	stopped_after(machine, 100);
	stopped_after(machine, 100);
	view = guest_view(machine);
	cr_assert(eq(uint, view->cpu_count, 4));
	cr_expect(eq(u64, view->cpus[0].rip, IMAGE_GPA));
	for (unsigned int i = 1; i < 4; i++)
		cr_expect(eq(u64, view->cpus[i].cr0, 0), "CPU %u was never started", i);
	machine_destroy(machine);
}

Test(deadline, a_machine_whose_cpus_all_wait_is_stopped)
{
	/* cli; hlt: with a local APIC this waits in the kernel */
	struct machine *machine = GUEST_OF_MANY("\xfa\xf4", 2);

	stopped_after(machine, 100);
	machine_destroy(machine);
}

Test(deadline, a_doorbell_of_one_of_many_cpus_ends_the_run_and_the_next_goes_on)
{
	/* out to the doorbell; mov $7, %eax; out %eax, $0xf4 */
	struct machine *machine = GUEST_OF_MANY("\xba\x04\x0b\0\0\xef" EXIT_WITH("\x07"), 64);
	struct machine_event event = guest_run(machine, FAR_AWAY);

	cr_expect(eq(int, event.type, MACHINE_DOORBELL));
	cr_expect(eq(uint, event.cpu, 0));
	event = guest_run(machine, FAR_AWAY);
	cr_expect(eq(int, event.type, MACHINE_EXIT));
	cr_expect(eq(u64, event.value, 7));
	machine_destroy(machine);
}
