/* SPDX-License-Identifier: MIT */
/*
 * reader_guest.c: what else the kernel knows of a guest: where its memory is and what its vCPUs' registers
 * hold.
 */
#include "stage2/process.h"
#include "stage2/reader_internal.h"

#include <stdlib.h>
#include <unistd.h>

/* Indices in kernel_registers.general. */
enum { GENERAL_RSP = 4, GENERAL_RIP = 16 };

/* VT-x keeps RIP and RSP in a structure of its own; what KVM has is of an exit before, if it has not read them since. */
static void drop_stale(const struct kernel_registers *from, struct view_cpu *registers)
{
	if (!(from->here >> GENERAL_RIP & 1)) {
		registers->rip = 0;
		registers->lacks |= VIEW_LACKS_RIP;
	}
	if (!(from->here >> GENERAL_RSP & 1)) {
		registers->rsp = 0;
		registers->lacks |= VIEW_LACKS_RSP;
	}
}

static void take_registers(const struct kernel_registers *from, struct stage2_vcpu *out)
{
	const __u64 *general = from->general;

	out->registers = (struct view_cpu){
		.rax = general[0],
		.rcx = general[1],
		.rdx = general[2],
		.rbx = general[3],
		.rsp = general[GENERAL_RSP],
		.rbp = general[5],
		.rsi = general[6],
		.rdi = general[7],
		.r8 = general[8],
		.r9 = general[9],
		.r10 = general[10],
		.r11 = general[11],
		.r12 = general[12],
		.r13 = general[13],
		.r14 = general[14],
		.r15 = general[15],
		.rip = general[GENERAL_RIP],
		.cr0 = from->cr0,
		.cr2 = from->cr2,
		.cr3 = from->cr3,
		.cr4 = from->cr4,
		.efer = from->efer,
		.pat = from->pat,
		.has_pat = true,
		.lacks = VIEW_LACKS_RFLAGS | VIEW_LACKS_SEGMENTS,
	};
	drop_stale(from, &out->registers);
	out->old_cr3 = !from->cr3_here;
	out->running = from->mode;
}

/* The vCPUs of the VM that is read, by their numbers. */
static void take_vcpus(const struct stage2_reader *reader, struct stage2_guest *out)
{
	const struct kernel_bpf__bss *bss = reader->bpf->bss;

	for (__u32 i = 0; i < bss->vcpu_count && out->vcpu_count < STAGE2_CPUS_MAX; i++) {
		unsigned int place = out->vcpu_count;

		if (bss->vcpus[i].kvm != bss->kvm)
			continue;
		for (; place && out->vcpus[place - 1].id > bss->vcpus[i].id; place--)
			out->vcpus[place] = out->vcpus[place - 1];
		out->vcpus[place].id = bss->vcpus[i].id;
		take_registers(&bss->registers[i], &out->vcpus[place]);
		out->physical_bits = bss->registers[i].physical_bits;
		out->vcpu_count++;
	}
}

int stage2_read_guest(struct stage2_reader *reader, pid_t pid, int vm_fd, struct stage2_guest *out,
		      struct error *error)
{
	int held = process_hold_vm(pid, vm_fd, error), result = -1;
	struct stage2_guest guest = { 0 };

	if (held < 0)
		return -1;
	if (reader_find_vm(reader, pid, held, error) == 0 &&
	    reader_read_slots(reader, &guest.slots, error) == 0 &&
	    reader_run(reader->bpf->progs.read_registers, error) == 0)
		result = 0;
	close(held);
	if (result == 0) {
		take_vcpus(reader, &guest);
		*out = guest;
	} else {
		free(guest.slots.items);
	}
	return result;
}

int stage2_reader_check(struct error *error)
{
	(void)error;
	return 0;
}
