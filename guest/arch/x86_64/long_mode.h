/* SPDX-License-Identifier: MIT */
/*
 * long_mode.h: from 32-bit protected mode with paging off to long mode (SDM vol. 3A 9.8.5), for assembler
 * files.
 */
#ifndef GUEST_ARCH_LONG_MODE_H
#define GUEST_ARCH_LONG_MODE_H

#include "kvmap/layout.h"

#define KERNEL_CS 0x08
#define KERNEL_DS 0x10

#define CR0_LONG  0x80010033 /* PG WP NE ET MP PE */
#define CR4_LONG  0x20       /* PAE; paging_map_image() sets PGE, which flushes the boot's translations */
#define MSR_EFER  0xc0000080
#define EFER_LONG 0x900 /* NXE LME */

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
