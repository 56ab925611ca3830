/* SPDX-License-Identifier: MIT */
/*
 * traps.h: exceptions.
 */
#ifndef GUEST_ARCH_PUBLIC_TRAPS_H
#define GUEST_ARCH_PUBLIC_TRAPS_H

#include "lib/types.h"

#define TRAP_DF 8
#define TRAP_GP 13
#define TRAP_PF 14

/* Error code of #PF (SDM vol. 3A 4.7). */
#define PF_PRESENT 0x01
#define PF_WRITE   0x02
#define PF_FETCH   0x10

/* The stack frame that traps.S pushes, lowest address first. */
struct registers {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rbp, rdi, rsi, rdx, rcx, rbx, rax;
	u64 vector, error_code;
	u64 rip, cs, rflags, rsp, ss;
};

/* Registers of a report, in the order of KVMAP_RECORD_REGISTERS: three sets of six. */
#define REGISTER_SETS    3
#define REGISTERS_IN_SET 6

extern const char *const register_names[REGISTER_SETS][REGISTERS_IN_SET];

void registers_list(const struct registers *registers, u64 list[REGISTER_SETS][REGISTERS_IN_SET]);

#endif
