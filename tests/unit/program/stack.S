/* SPDX-License-Identifier: MIT */
/*
 * stack.S: functions with call frame information, whose stack frames the tests make by hand.
 */
	.cfi_sections .debug_frame
	.text

	.macro function name
	.globl \name
	.type \name, @function
\name:
	.endm

	/* The outermost frame: it has no return address. */
function stack_outermost
	.cfi_startproc simple
	.cfi_def_cfa rsp, 0
	.cfi_undefined rip
	nop
	call stack_middle
	.cfi_endproc
	.size stack_outermost, . - stack_outermost

	/* Keeps RBX below its return address: a frame of 16 bytes. It ends with the call. */
function stack_middle
	.cfi_startproc
	push %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	call stack_leaf
	.cfi_endproc
	.size stack_middle, . - stack_middle

function stack_leaf
	.cfi_startproc
	nop
	ret
	.cfi_endproc
	.size stack_leaf, . - stack_leaf

	/* Entered by an exception without error code. */
function stack_trap
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa rsp, 40
	.cfi_offset rip, -40
	.cfi_offset rsp, -16
	nop
	iretq
	.cfi_endproc
	.size stack_trap, . - stack_trap

	/* Its frame has no size: the return address at RSP is used again for its caller. */
function stack_circle
	.cfi_startproc simple
	.cfi_def_cfa rsp, 0
	.cfi_offset rip, 0
	nop
	call stack_leaf
	.cfi_endproc
	.size stack_circle, . - stack_circle

	/* The frame is 16 bytes from a register, by its number in DWARF. */
	.irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
function stack_by_\number
	.cfi_startproc simple
	.cfi_def_cfa \number, 16
	.cfi_offset rip, -8
	nop
	ret
	.cfi_endproc
	.size stack_by_\number, . - stack_by_\number
	.endr

	/* No call frame information at all. */
function stack_unknown
	nop
	call stack_leaf
	ret
	.size stack_unknown, . - stack_unknown

	/* In no function. */
	.skip 16, 0xcc

	.section .note.GNU-stack, "", @progbits
