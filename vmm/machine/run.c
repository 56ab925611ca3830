/* SPDX-License-Identifier: MIT */
/*
 * run.c: runs the guest until it has an event.
 */
#include "machine/vcpu_threads.h"
#include "base/clock.h"
#include "machine/deadline.h"
#include "machine/machine_internal.h"

static enum kvm_run_result run_once(struct machine *machine, struct error *error)
{
	uint64_t start = clock_monotonic_ns();
	enum kvm_run_result result = kvm_vcpu_run(&machine->vcpus[0], error);

	machine->facts.run_ns += clock_monotonic_ns() - start;
	machine->facts.exits++;
	return result;
}

static int run_until_event(struct machine *machine, const struct deadline *deadline,
			   struct machine_event *event, struct error *error)
{
	for (;;) {
		if (machine->interrupted) {
			*event = (struct machine_event){ .type = MACHINE_INTERRUPTED };
			return 0;
		}
		switch (run_once(machine, error)) {
		case KVM_RUN_FAILED: return -1;
		case KVM_RUN_EXITED:
			if (machine_take_exit(machine, 0, event))
				return 0;
			break;
		case KVM_RUN_INTERRUPTED: break;
		}
		/* After exits too: a guest that prints in a loop is rarely interrupted. */
		if (deadline_expired(deadline)) {
			*event = (struct machine_event){ .type = MACHINE_TIMEOUT };
			return 0;
		}
	}
}

/* The order is that of vcpu_threads_interrupt(). */
void machine_interrupt(struct machine *machine)
{
	machine->interrupted = true;
	if (machine->threads)
		vcpu_threads_interrupt(machine->threads);
	else
		((volatile struct kvm_run *)machine->vcpus[0].run)->immediate_exit = 1;
}

/* Called while no vCPU runs, so that nothing else writes immediate_exit. */
void machine_continue(struct machine *machine)
{
	for (unsigned int i = 0; i < machine->cpus; i++)
		((volatile struct kvm_run *)machine->vcpus[i].run)->immediate_exit = 0;
	machine->interrupted = false;
}

int machine_run(struct machine *machine, uint64_t deadline_ns, struct machine_event *event_out,
		struct error *error)
{
	struct machine_event event;
	struct deadline deadline;
	int result;

	if (machine->threads)
		return vcpu_threads_run(machine->threads, deadline_ns, event_out, error);
	if (deadline_arm(&deadline, deadline_ns, machine->vcpus[0].run, error) < 0)
		return -1;
	result = run_until_event(machine, &deadline, &event, error);
	deadline_disarm(&deadline);
	if (result == 0)
		*event_out = event;
	return result;
}
