/* SPDX-License-Identifier: MIT */
/*
 * access.S: the accesses of access.h. If one faults between access_begin and access_end, or if the fetch of
 * access_call()'s target faults, traps.c continues at access_failed with the stack pointer saved in this
 * CPU's access_rsp.
 */
#define ACCESS_RSP cpus + 40 /* struct cpu.access_rsp, percpu.h */

	.cfi_sections .debug_frame

	.macro function name
	.globl \name
	.type \name, @function
	.balign 16
\name:
	.cfi_startproc
	.endm

	.macro end_function name
	.cfi_endproc
	.size \name, . - \name
	.endm

	.text
	.globl access_begin, access_end
access_begin:

function access_read
	mov %rsp, %gs:ACCESS_RSP
	mov (%rdi), %rax
	mov %rax, (%rsi)
	jmp access_done
end_function access_read

function access_write
	mov %rsp, %gs:ACCESS_RSP
	mov %rsi, (%rdi)
	jmp access_done
end_function access_write

function access_fill
	mov %rsp, %gs:ACCESS_RSP
	mov %rsi, %rax
	mov %rdx, %rcx
	rep stosq
	jmp access_done
end_function access_fill

function access_compare
	mov %rsp, %gs:ACCESS_RSP
	mov %rcx, %r8
	mov %rsi, %rax
	mov %rdx, %rcx
	cmp %rax, %rax /* ZF, for words == 0 */
	repe scasq
	lea -8(%rdi), %rax
	mov $0, %ecx
	cmove %rcx, %rax
	mov %rax, (%r8)
	jmp access_done
end_function access_compare

function access_call
	mov %rsp, %gs:ACCESS_RSP
	call *%rdi
	jmp access_done
end_function access_call

function access_done
	movq $0, %gs:ACCESS_RSP
	xor %eax, %eax
	ret
end_function access_done
access_end:

function access_failed
	mov %gs:ACCESS_RSP, %rsp
	movq $0, %gs:ACCESS_RSP
	mov $1, %eax
	ret
end_function access_failed

	.section .note.GNU-stack, "", @progbits
