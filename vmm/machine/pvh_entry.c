/* SPDX-License-Identifier: MIT */
/*
 * pvh_entry.c: registers at the PVH entry (xen/docs/misc/pvh.pandoc).
 */
#include "machine/machine_internal.h"

#include "base/x86.h"

/* Segment types (SDM vol. 3A 3.4.5.1 and 3.5). */
#define TYPE_DATA 0x3 /* read, write, accessed */
#define TYPE_CODE 0xb /* execute, read, accessed */
#define TYPE_TSS  0xb /* 32-bit, busy */

static struct kvm_segment segment_flat(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

int machine_set_entry(struct machine *machine, uint32_t entry, uint32_t start_info, struct error *error)
{
	struct kvm_regs regs = { .rip = entry, .rbx = start_info, .rflags = RFLAGS_FIXED };
	struct kvm_sregs sregs;

	if (kvm_vcpu_get_sregs(&machine->vcpus[0], &sregs, error) < 0)
		return -1;
	sregs.cs = segment_flat(0x8, TYPE_CODE);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = segment_flat(0x10, TYPE_DATA);
	sregs.tr = (struct kvm_segment){ .limit = 0x67, .selector = 0x18, .type = TYPE_TSS, .present = 1 };
	sregs.cr0 = CR0_PE | CR0_ET;
	sregs.cr3 = sregs.cr4 = sregs.efer = 0;
	if (kvm_vcpu_set_sregs(&machine->vcpus[0], &sregs, error) < 0)
		return -1;
	return kvm_vcpu_set_regs(&machine->vcpus[0], &regs, error);
}
