/* SPDX-License-Identifier: MIT */
/*
 * x86.h: bits of registers and of paging-structure entries, by the names of the SDM: RFLAGS vol. 1 3.4.3, CR0
 * and CR4 vol. 3A 2.5, EFER vol. 3A 2.2.1, entries vol. 3A 4.5 (tables 4-14 to 4-20).
 */
#ifndef VMM_BASE_X86_H
#define VMM_BASE_X86_H

#include <stdint.h>

#define X86_BIT(number) (UINT64_C(1) << (number))

#define RFLAGS_FIXED X86_BIT(1) /* reserved, always 1 */
#define RFLAGS_AC    X86_BIT(18)

#define CR0_PE X86_BIT(0)
#define CR0_ET X86_BIT(4)
#define CR0_WP X86_BIT(16)
#define CR0_PG X86_BIT(31)

#define CR4_PAE   X86_BIT(5)
#define CR4_PGE   X86_BIT(7)
#define CR4_LA57  X86_BIT(12)
#define CR4_PCIDE X86_BIT(17)
#define CR3_PCID  0xfffull /* the low bits of CR3 under CR4.PCIDE */
#define CR4_SMEP  X86_BIT(20)
#define CR4_SMAP  X86_BIT(21)
#define CR4_PKE   X86_BIT(22)
#define CR4_PKS   X86_BIT(24)

#define EFER_LME X86_BIT(8)
#define EFER_LMA X86_BIT(10)
#define EFER_NXE X86_BIT(11)

#define MSR_IA32_PAT 0x277

#define PTE_P         X86_BIT(0)
#define PTE_W         X86_BIT(1)
#define PTE_U         X86_BIT(2)
#define PTE_PWT       X86_BIT(3)
#define PTE_PCD       X86_BIT(4)
#define PTE_A         X86_BIT(5)
#define PTE_D         X86_BIT(6)
#define PTE_PS        X86_BIT(7) /* at level 1: PAT */
#define PTE_G         X86_BIT(8)
#define PTE_PAT_LARGE X86_BIT(12) /* PAT of a 2M or 1G page */
#define PTE_NX        X86_BIT(63)

/* The bits that the processor sets. */
#define PTE_STATUS (PTE_A | PTE_D)

#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)

/* Protection key, bits 62:59 (vol. 3A 4.6.2). */
#define PTE_KEY_SHIFT 59
#define PTE_KEY       (UINT64_C(15) << PTE_KEY_SHIFT)

#endif
