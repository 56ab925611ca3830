/* SPDX-License-Identifier: MIT */
/*
 * core_registers.c: registers of a view in the notes of a core.
 */
#include "view/core_registers.h"

#include "base/x86.h"

#include <assert.h>
#include <string.h>
#include <sys/user.h>

static_assert(sizeof(struct user_regs_struct) == sizeof(elf_gregset_t), "the registers of NT_PRSTATUS");
static_assert(sizeof(struct core_control) == 48, "a note of the core");
static_assert(sizeof(struct core_qemu) == 432, "QEMU's note of a CPU");

static_assert(sizeof(struct core_pat) == 16, "a note of the core");

void core_registers_pack(const struct view_cpu *cpu, int thread, struct elf_prstatus *out)
{
	struct user_regs_struct registers = {
		.rax = cpu->rax,
		.rbx = cpu->rbx,
		.rcx = cpu->rcx,
		.rdx = cpu->rdx,
		.rsi = cpu->rsi,
		.rdi = cpu->rdi,
		.rbp = cpu->rbp,
		.rsp = cpu->rsp,
		.r8 = cpu->r8,
		.r9 = cpu->r9,
		.r10 = cpu->r10,
		.r11 = cpu->r11,
		.r12 = cpu->r12,
		.r13 = cpu->r13,
		.r14 = cpu->r14,
		.r15 = cpu->r15,
		.rip = cpu->rip,
		.eflags = cpu->rflags,
		.orig_rax = ~0ull, /* not in a system call */
		.cs = cpu->cs,
		.ss = cpu->ss,
		.ds = cpu->ds,
		.es = cpu->es,
		.fs = cpu->fs,
		.gs = cpu->gs,
		.fs_base = cpu->fs_base,
		.gs_base = cpu->gs_base,
	};

	memset(out, 0, sizeof(*out));
	out->pr_pid = thread;
	memcpy(&out->pr_reg, &registers, sizeof(registers));
}

void core_registers_unpack(const struct elf_prstatus *status, struct view_cpu *cpu)
{
	struct user_regs_struct registers;

	memcpy(&registers, &status->pr_reg, sizeof(registers));
	cpu->rax = registers.rax;
	cpu->rbx = registers.rbx;
	cpu->rcx = registers.rcx;
	cpu->rdx = registers.rdx;
	cpu->rsi = registers.rsi;
	cpu->rdi = registers.rdi;
	cpu->rbp = registers.rbp;
	cpu->rsp = registers.rsp;
	cpu->r8 = registers.r8;
	cpu->r9 = registers.r9;
	cpu->r10 = registers.r10;
	cpu->r11 = registers.r11;
	cpu->r12 = registers.r12;
	cpu->r13 = registers.r13;
	cpu->r14 = registers.r14;
	cpu->r15 = registers.r15;
	cpu->rip = registers.rip;
	cpu->rflags = registers.eflags;
	cpu->cs = registers.cs;
	cpu->ss = registers.ss;
	cpu->ds = registers.ds;
	cpu->es = registers.es;
	cpu->fs = registers.fs;
	cpu->gs = registers.gs;
	cpu->fs_base = registers.fs_base;
	cpu->gs_base = registers.gs_base;
}

void core_control_pack(const struct view *view, const struct view_cpu *cpu, struct core_control *out)
{
	*out = (struct core_control){
		.version = 1,
		.physical_bits = (uint8_t)view->physical_bits,
		.pages_1g = view->pages_1g,
		.lacks = cpu->lacks,
		.physical_bits_assumed = view->physical_bits_assumed,
		.cr0 = cpu->cr0,
		.cr2 = cpu->cr2,
		.cr3 = cpu->cr3,
		.cr4 = cpu->cr4,
		.efer = cpu->efer,
	};
}

void core_control_unpack(const struct core_control *control, struct view_cpu *cpu)
{
	cpu->cr0 = control->cr0;
	cpu->cr2 = control->cr2;
	cpu->cr3 = control->cr3;
	cpu->cr4 = control->cr4;
	cpu->efer = control->efer;
	cpu->lacks = control->lacks & VIEW_LACKS_ALL;
}

void core_qemu_unpack(const struct core_qemu *state, struct view *view, struct view_cpu *cpu)
{
	cpu->cr0 = state->cr[0];
	cpu->cr2 = state->cr[2];
	cpu->cr3 = state->cr[3];
	cpu->cr4 = state->cr[4];
	cpu->efer = cpu->cr0 & CR0_PG && cpu->cr4 & CR4_PAE ? EFER_LME | EFER_LMA | EFER_NXE : 0;
	cpu->lacks = VIEW_LACKS_EFER;
	view->physical_bits = 52;
	view->physical_bits_assumed = true;
	view->pages_1g = true;
}
