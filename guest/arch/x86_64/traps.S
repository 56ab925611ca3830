/* SPDX-License-Identifier: MIT */
/*
 * traps.S: stubs of the 32 exceptions and of the interrupts of apic.h, and the IDT, a constant in .rodata.
 */
#include "kvmap/layout.h"

#define KERNEL_CS 0x08

	.cfi_sections .debug_frame

	/* First in .text, at KVMAP_IMAGE_GPA, so that the assembler knows the stubs' addresses. */
	.section .text.traps, "ax", @progbits
traps:
	ret /* the script's `touch text` may call the first byte of text */

	/*
	 * For debuggers: what the CPU pushed ends at the canonical frame address, \size bytes above RSP (SDM
	 * vol. 3A 6.14.2). All other registers have the values of the interrupted code until they are pushed.
	 */
	.macro trap_frame size
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa rsp, \size
	.cfi_offset rip, -40
	.cfi_offset rsp, -16
	.irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	.cfi_same_value \register
	.endr
	.endm

	/* Vectors 8, 10-14, 17, 21, 29 and 30 push an error code (APM vol. 2, 8.2; SDM vol. 3A 6.15). */
	.macro stub vector
	.balign 16
trap_\vector:
	.if \vector >= 32 || ((0x60227d00 >> (\vector & 31)) & 1) == 0
	trap_frame 40
	push $0
	.cfi_adjust_cfa_offset 8
	.else
	trap_frame 48
	.endif
	push $\vector
	.cfi_adjust_cfa_offset 8
	jmp trap_common
	.cfi_endproc
	.endm

	.irp vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34
	stub \vector
	.endr

	.balign 16
	.globl trap_common
	.type trap_common, @function
trap_common: /* builds a struct registers (traps.h) */
	trap_frame 56
	.irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	push %\register
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset \register, 0
	.endr
	cld
	mov %rsp, %rdi
	call trap_handle
	.irp register, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
	pop %\register
	.cfi_adjust_cfa_offset -8
	.cfi_same_value \register
	.endr
	add $16, %rsp
	.cfi_adjust_cfa_offset -16
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
	.byte 0x8e /* present, DPL 0, interrupt gate */
	.word (KVMAP_IMAGE_BASE >> 16 & 0xffff) + (KVMAP_IMAGE_GPA >> 16)
	.long KVMAP_IMAGE_BASE >> 32
	.long 0
	.endm

	.balign 16
idt:
	.irp vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34
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
