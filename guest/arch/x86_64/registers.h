/* SPDX-License-Identifier: MIT */
/*
 * registers.h: bits of control registers and of IA32_EFER (SDM vol. 3A 2.5 and 2.2.1), for C and assembler.
 */
#ifndef GUEST_ARCH_REGISTERS_H
#define GUEST_ARCH_REGISTERS_H

#ifdef __ASSEMBLER__
#define X86_BIT(number) (1 << (number))
#else
#define X86_BIT(number) (1ul << (number))
#endif

#define X86_CR0_PE X86_BIT(0)
#define X86_CR0_MP X86_BIT(1)
#define X86_CR0_ET X86_BIT(4)
#define X86_CR0_NE X86_BIT(5)
#define X86_CR0_WP X86_BIT(16)
#define X86_CR0_PG X86_BIT(31)

#define X86_CR4_PAE X86_BIT(5)
#define X86_CR4_PGE X86_BIT(7)

#define MSR_EFER 0xc0000080
#define EFER_LME X86_BIT(8)
#define EFER_NXE X86_BIT(11)

#endif
