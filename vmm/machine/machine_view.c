/* SPDX-License-Identifier: MIT */
/*
 * machine_view.c: the stopped machine as a view.
 */
#include "machine/machine_internal.h"

#define CR0_PE 0x1u

static int view_translate(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out)
{
	const struct machine *machine = context;
	struct kvm_translation translation = { .linear_address = gva };
	struct error ignored;

	if (cpu != 0 || kvm_vcpu_translate(&machine->vcpu, &translation, &ignored) < 0)
		return -1;
	out->valid = translation.valid;
	out->gpa = translation.valid ? translation.physical_address : 0;
	return 0;
}

static void cpu_fill(struct view_cpu *cpu, const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
	*cpu = (struct view_cpu){
		.rax = regs->rax,
		.rbx = regs->rbx,
		.rcx = regs->rcx,
		.rdx = regs->rdx,
		.rsi = regs->rsi,
		.rdi = regs->rdi,
		.rbp = regs->rbp,
		.rsp = regs->rsp,
		.r8 = regs->r8,
		.r9 = regs->r9,
		.r10 = regs->r10,
		.r11 = regs->r11,
		.r12 = regs->r12,
		.r13 = regs->r13,
		.r14 = regs->r14,
		.r15 = regs->r15,
		.rip = regs->rip,
		.rflags = regs->rflags,
		.cr0 = sregs->cr0,
		.cr2 = sregs->cr2,
		.cr3 = sregs->cr3,
		.cr4 = sregs->cr4,
		.efer = sregs->efer,
		.cs = sregs->cs.selector,
		.ss = sregs->ss.selector,
		.ds = sregs->ds.selector,
		.es = sregs->es.selector,
		.fs = sregs->fs.selector,
		.gs = sregs->gs.selector,
		.fs_base = sregs->fs.base,
		.gs_base = sregs->gs.base,
	};
}

int machine_view(struct machine *machine, const struct view **out, struct error *error)
{
	struct view *view = &machine->view;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	view->translate = view_translate;
	view->translate_context = machine;
	if (kvm_vcpu_get_regs(&machine->vcpu, &regs, error) < 0 ||
	    kvm_vcpu_get_sregs(&machine->vcpu, &sregs, error) < 0)
		return -1;
	/*
	 * After a triple fault SVM leaves no registers and KVM resets the vCPU (APM vol. 2 15.14.3). PVH
	 * starts in protected mode, so real mode means that: better no registers than those of a reset.
	 */
	view->cpu_count = sregs.cr0 & CR0_PE ? 1 : 0;
	if (view->cpu_count)
		cpu_fill(&view->cpus[0], &regs, &sregs);
	*out = view;
	return 0;
}
