/* SPDX-License-Identifier: MIT */
/*
 * exit.c: converts KVM exits to events of machine_run().
 */
#include "machine/machine_internal.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static void take_mmio(const struct kvm_run *run, struct machine_event *event)
{
	event->type = MACHINE_MMIO;
	event->address = run->mmio.phys_addr;
	event->length = run->mmio.len;
	event->is_write = run->mmio.is_write;
	if (event->is_write)
		memcpy(&event->value, run->mmio.data, sizeof(event->value));
}

/* KVM_INTERNAL_ERROR_EMULATION: `ndata` words follow; flags, size and bytes are three of them
 * (Documentation/virt/kvm/api.rst). */
static void take_emulation_failure(const struct kvm_run *run, struct machine_event *event)
{
	uint64_t words = run->emulation_failure.ndata;

	event->type = MACHINE_EMULATION_FAILURE;
	if (words < 3 ||
	    !(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		return;
	event->byte_count = run->emulation_failure.insn_size;
	if (event->byte_count > sizeof(event->bytes))
		event->byte_count = sizeof(event->bytes);
	memcpy(event->bytes, run->emulation_failure.insn_bytes, event->byte_count);
}

static void take_other(const struct kvm_run *run, struct machine_event *event)
{
	const char *name = kvm_exit_name(run->exit_reason);

	event->type = MACHINE_KVM;
	event->value = run->exit_reason;
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		snprintf(event->text, sizeof(event->text), "%s, suberror %u", name, run->internal.suberror);
	else if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
		snprintf(event->text, sizeof(event->text), "%s, hardware reason 0x%llx", name,
			 run->fail_entry.hardware_entry_failure_reason);
	else
		snprintf(event->text, sizeof(event->text), "%s (exit reason %u)", name, run->exit_reason);
}

bool machine_take_exit(struct machine *machine, unsigned int cpu, struct machine_event *event)
{
	struct kvm_run *run = machine->vcpus[cpu].run;

	*event = (struct machine_event){ .cpu = cpu };
	switch (run->exit_reason) {
	case KVM_EXIT_IO: return machine_take_port(machine, run, event);
	case KVM_EXIT_MMIO: take_mmio(run, event); return true;
	case KVM_EXIT_HLT: event->type = MACHINE_HALT; return true;
	case KVM_EXIT_SHUTDOWN: event->type = MACHINE_TRIPLE_FAULT; return true;
	case KVM_EXIT_INTERNAL_ERROR:
		if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION) {
			take_emulation_failure(run, event);
			return true;
		}
		break;
	}
	take_other(run, event);
	return true;
}
