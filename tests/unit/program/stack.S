/* SPDX-License-Identifier: MIT */
/*
 * stack.S: functions whose frames the tests lay out by hand: each does what its call frame information says.
 */
	.cfi_sections .debug_frame
	.text

	.macro function name
	.globl \name
	.type \name, @function
\name:
	.endm

	/* Nobody called it. */
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

	/* Its frame has no size, so that its caller is whatever RSP points to, again and again. */
function stack_circle
	.cfi_startproc simple
	.cfi_def_cfa rsp, 0
	.cfi_offset rip, 0
	nop
	call stack_leaf
	.cfi_endproc
	.size stack_circle, . - stack_circle

	/* No call frame information at all. */
function stack_unknown
	nop
	call stack_leaf
	ret
	.size stack_unknown, . - stack_unknown

	.section .note.GNU-stack, "", @progbits
