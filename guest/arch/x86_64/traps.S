/* SPDX-License-Identifier: MIT */
/*
 * traps.S: the 32 exceptions and the interrupts of apic.h: their stubs, and the IDT, which stands ready in rodata.
 */
#include "kvmap/layout.h"

#define KERNEL_CS 0x08

	.cfi_sections .debug_frame

	/* First in .text, at KVMAP_IMAGE_GPA, so that the assembler knows the addresses of the stubs. */
	.section .text.traps, "ax", @progbits
traps:
	ret /* a call of the first byte of text, the script's `touch text`, comes back */

	/* Vectors 8, 10-14, 17, 21, 29 and 30 push an error code (APM vol. 2, 8.2; SDM vol. 3A 6.15). */
	.macro stub vector
	.balign 16
trap_\vector:
	.if \vector >= 32 || ((0x60227d00 >> (\vector & 31)) & 1) == 0
	push $0
	.endif
	push $\vector
	jmp trap_common
	.endm

	.irp vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33
	stub \vector
	.endr

	.balign 16
	.globl trap_common
	.type trap_common, @function
trap_common: /* builds a struct registers (traps.h) */
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa rsp, 56
	.cfi_offset rip, -40
	.cfi_offset rsp, -16
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	.cfi_adjust_cfa_offset 120
	.cfi_offset rax, -64
	.cfi_offset rbx, -72
	.cfi_offset rcx, -80
	.cfi_offset rdx, -88
	.cfi_offset rsi, -96
	.cfi_offset rdi, -104
	.cfi_offset rbp, -112
	.cfi_offset r8, -120
	.cfi_offset r9, -128
	.cfi_offset r10, -136
	.cfi_offset r11, -144
	.cfi_offset r12, -152
	.cfi_offset r13, -160
	.cfi_offset r14, -168
	.cfi_offset r15, -176
	cld
	mov %rsp, %rdi
	call trap_handle
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	add $16, %rsp
	iretq
	.cfi_endproc
	.size trap_common, . - trap_common

	.section .rodata.idt, "a", @progbits
	.macro gate vector
	.word (KVMAP_IMAGE_GPA & 0xffff) + trap_\vector - traps
	.word KERNEL_CS
	.if \vector == 8
	.byte 1 /* IST, see the TSS in head.S */
	.elseif \vector == 2
	.byte 2
	.elseif \vector == 18
	.byte 3
	.else
	.byte 0
	.endif
	.byte 0x8e /* present, ring 0, interrupt gate */
	.word (KVMAP_IMAGE_BASE >> 16 & 0xffff) + (KVMAP_IMAGE_GPA >> 16)
	.long KVMAP_IMAGE_BASE >> 32
	.long 0
	.endm

	.balign 16
idt:
	.irp vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33
	gate \vector
	.endr
idt_end:
	.balign 8
	.word 0, 0, 0
	.globl idt_pointer
idt_pointer:
	.word idt_end - idt - 1
	.quad idt

	.section .note.GNU-stack, "", @progbits
