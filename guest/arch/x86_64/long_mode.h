/* SPDX-License-Identifier: MIT */
/*
 * long_mode.h: from 32-bit protected mode with paging off to long mode (SDM vol. 3A 9.8.5), for assembler
 * files.
 */
#ifndef GUEST_ARCH_LONG_MODE_H
#define GUEST_ARCH_LONG_MODE_H

#include "arch/x86_64/registers.h"
#include "kvmap/layout.h"

#define KERNEL_CS 0x08
#define KERNEL_DS 0x10

#define CR0_LONG (X86_CR0_PG | X86_CR0_WP | X86_CR0_NE | X86_CR0_ET | X86_CR0_MP | X86_CR0_PE)
/* paging_map_image() sets PGE, which flushes the boot's translations. */
#define CR4_LONG  X86_CR4_PAE
#define EFER_LONG (EFER_NXE | EFER_LME)

#define GPA(symbol) (symbol - KVMAP_IMAGE_BASE)

/* clang-format off */
/* Continues at `target` in the high half, on the boot's page tables. Clobbers RAX, RCX and RDX. */
	.macro enter_long_mode target
	mov $CR4_LONG, %eax
	mov %eax, %cr4
	mov $GPA(init_top_pgt), %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	mov $EFER_LONG, %eax
	xor %edx, %edx
	wrmsr
	mov $CR0_LONG, %eax
	mov %eax, %cr0
	lgdtl GPA(gdt_pointer_low)
	ljmp $KERNEL_CS, $GPA(.Llong_mode\@)

	.code64
.Llong_mode\@:
	mov $\target, %rax
	jmp *%rax
	.endm
/* clang-format on */

#endif
