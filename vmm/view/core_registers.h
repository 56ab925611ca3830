/* SPDX-License-Identifier: MIT */
/*
 * core_registers.h: a vCPU's registers as a core's notes hold them. For core_*.c only.
 */
#ifndef VMM_VIEW_CORE_REGISTERS_H
#define VMM_VIEW_CORE_REGISTERS_H

#include "view/core.h"

#include <sys/procfs.h>

/* `thread`: what debuggers tell threads apart by; not 0. */
void core_registers_pack(const struct view_cpu *cpu, int thread, struct elf_prstatus *out);
void core_registers_unpack(const struct elf_prstatus *status, struct view_cpu *cpu);

void core_control_pack(const struct view *view, const struct view_cpu *cpu, struct core_control *out);
void core_control_unpack(const struct core_control *control, struct view_cpu *cpu);

/* A note named "QEMU" of a core that QEMU's dump-guest-memory wrote: one for each CPU (QEMUCPUState of its
 * target/i386/arch_dump.c, version 1; newer ones append members). */
#define CORE_NOTE_QEMU 0
struct core_qemu_segment {
	uint32_t selector, limit, flags, unused;
	uint64_t base;
};
struct core_qemu {
	uint32_t version; /* 1 */
	uint32_t size;    /* of the note, with what is appended */
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags;
	struct core_qemu_segment cs, ds, es, fs, gs, ss, ldt, tr, gdt, idt;
	uint64_t cr[5];
};

/*
 * Control registers; the others are NT_PRSTATUS's. What QEMU does not note is assumed, so that nothing which
 * works in the guest is called damage: EFER.LMA from CR0.PG and CR4.PAE (there is no other paging in a core
 * for x86-64), EFER.NXE set (bit 63 of an entry is NX; where it was not set, a guest has no such bits), 1G
 * pages, and 52 bits of physical address.
 */
void core_qemu_unpack(const struct core_qemu *state, struct view *view, struct view_cpu *cpu);

#endif
