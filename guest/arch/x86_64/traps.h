/* SPDX-License-Identifier: MIT */
/*
 * traps.h: what an exception leaves on the stack (traps.S).
 */
#ifndef GUEST_ARCH_TRAPS_H
#define GUEST_ARCH_TRAPS_H

#include "lib/types.h"

#define TRAP_DF 8
#define TRAP_GP 13
#define TRAP_PF 14

/* SDM vol. 3A 4.7 */
#define PF_PRESENT 0x01
#define PF_WRITE   0x02
#define PF_FETCH   0x10

struct registers {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rbp, rdi, rsi, rdx, rcx, rbx, rax;
	u64 vector, error_code;
	u64 rip, cs, rflags, rsp, ss;
};

#endif
