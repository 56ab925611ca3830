/* SPDX-License-Identifier: MIT */
/*
 * core_registers.h: converts a vCPU's registers from and to the notes of a core. For core_*.c only.
 */
#ifndef VMM_VIEW_CORE_REGISTERS_H
#define VMM_VIEW_CORE_REGISTERS_H

#include "view/core.h"

#include <sys/procfs.h>

/* `thread`: thread number in a debugger; not 0. */
void core_registers_pack(const struct view_cpu *cpu, int thread, struct elf_prstatus *out);
void core_registers_unpack(const struct elf_prstatus *status, struct view_cpu *cpu);

void core_control_pack(const struct view *view, const struct view_cpu *cpu, struct core_control *out);
void core_control_unpack(const struct core_control *control, struct view_cpu *cpu);

/* A note named "QEMU", one per vCPU, in a core of QEMU's dump-guest-memory (QEMUCPUState in QEMU's
 * target/i386/arch_dump.c, version 1; later versions append members). */
#define CORE_NOTE_QEMU 0
struct core_qemu_segment {
	uint32_t selector, limit, flags, unused;
	uint64_t base;
};
struct core_qemu {
	uint32_t version; /* 1 */
	uint32_t size;    /* of the note, with appended members */
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags;
	struct core_qemu_segment cs, ds, es, fs, gs, ss, ldt, tr, gdt, idt;
	uint64_t cr[5];
};

/*
 * Reads the control registers; NT_PRSTATUS has the others. Assumes what the note lacks so that no valid entry
 * is reported as damage: EFER.LMA from CR0.PG and CR4.PAE (an x86-64 core has no other paging mode), EFER.NXE
 * set (a guest without it sets no bit 63), 1G pages, and 52 physical address bits.
 */
void core_qemu_unpack(const struct core_qemu *state, struct view *view, struct view_cpu *cpu);

#endif
