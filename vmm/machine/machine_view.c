/* SPDX-License-Identifier: MIT */
/*
 * machine_view.c: the stopped machine as a view.
 */
#include "machine/machine_internal.h"

#include "base/x86.h"
#include "view/extents.h"

int machine_translate(const struct machine *machine, unsigned int cpu, uint64_t gva,
		      struct view_translation *out)
{
	struct kvm_translation translation = { .linear_address = gva };
	struct error ignored;

	if (cpu >= machine->cpus || kvm_vcpu_translate(&machine->vcpus[cpu], &translation, &ignored) < 0)
		return -1;
	out->valid = translation.valid;
	out->gpa = translation.valid ? translation.physical_address : 0;
	return 0;
}

static int view_translate(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out)
{
	return machine_translate(context, cpu, gva, out);
}

static void cpu_fill(struct view_cpu *cpu, const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
	/* clang-format off */
	*cpu = (struct view_cpu){
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
#define COPY(name) .name = regs->name,
		VIEW_GENERAL_REGISTERS(COPY)
#undef COPY
	};
	/* clang-format on */
}

/*
 * After a triple fault on SVM the registers are undefined and KVM resets the vCPU (APM vol. 2 15.14.3). PVH
 * starts in protected mode, so real mode means a reset, or a CPU that was never started: its registers are
 * reported as zero.
 */
static int cpu_read(const struct machine *machine, unsigned int number, struct view_cpu *out,
		    struct error *error)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct error no_pat;

	if (kvm_vcpu_get_regs(&machine->vcpus[number], &regs, error) < 0 ||
	    kvm_vcpu_get_sregs(&machine->vcpus[number], &sregs, error) < 0)
		return -1;
	*out = (struct view_cpu){ 0 };
	if (!(sregs.cr0 & CR0_PE))
		return 0;
	cpu_fill(out, &regs, &sregs);
	out->has_pat = kvm_vcpu_get_msr(&machine->vcpus[number], MSR_IA32_PAT, &out->pat, &no_pat) == 0;
	return 0;
}

int machine_registers(const struct machine *machine, struct view_cpu cpus[MACHINE_CPUS_MAX],
		      struct error *error)
{
	for (unsigned int i = 0; i < machine->cpus; i++)
		if (cpu_read(machine, i, &cpus[i], error) < 0)
			return -1;
	/* A single CPU without registers counts as none. */
	return machine->cpus > 1 || cpus[0].cr0 ? (int)machine->cpus : 0;
}

int machine_view(struct machine *machine, const struct view **out, struct error *error)
{
	struct view *view = &machine->view;
	int count;

	view->translate = view_translate;
	view->translate_context = machine;
	if (view_set_cpus(view, machine->cpus, error) < 0)
		return -1;
	count = machine_registers(machine, view->cpus, error);
	view->cpu_count = count < 0 ? 0 : (unsigned int)count;
	if (count < 0)
		return -1;
	if (view_learn_data(view) < 0)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	*out = view;
	return 0;
}
