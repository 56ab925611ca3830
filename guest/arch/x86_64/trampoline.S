/* SPDX-License-Identifier: MIT */
/*
 * trampoline.S: from the real mode in which a SIPI starts a CPU, to C (SDM vol. 3A 9.4, 10.8.5).
 *
 * The first part is copied to TRAMPOLINE_GPA. The second runs in the image's text at its GPA, which the boot
 * CPU maps there while it starts the others.
 */
#include "arch/x86_64/long_mode.h"
#include "arch/x86_64/registers.h"
#include "arch/x86_64/trampoline.h"
#include "kvmap/layout.h"

#define COPY(symbol) (TRAMPOLINE_GPA + symbol - trampoline)

	.cfi_sections .debug_frame

	.section .rodata.trampoline, "a", @progbits
	.code16
	.balign 8
	.globl trampoline, trampoline_end
trampoline:
	cli
	xor %ax, %ax
	mov %ax, %ds
	lgdtl COPY(flat_gdt_pointer)
	mov %cr0, %eax
	or $X86_CR0_PE, %al
	mov %eax, %cr0
	ljmpl $KERNEL_CS, $GPA(trampoline_32)

	.balign 8
flat_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff /* 32-bit code */
	.quad 0x00cf93000000ffff
flat_gdt_end:
flat_gdt_pointer:
	.word flat_gdt_end - flat_gdt - 1
	.long COPY(flat_gdt)
trampoline_end:

	.section .text.head, "ax", @progbits
	.code32
	.type trampoline_32, @function
trampoline_32:
	mov $KERNEL_DS, %eax
	mov %eax, %ss
	mov %eax, %ds
	mov %eax, %es
	enter_long_mode trampoline_high

trampoline_high:
	.cfi_startproc simple
	.cfi_def_cfa rsp, 0
	.cfi_undefined rip /* no caller */
	mov smp_starting(%rip), %rdi
	mov (%rdi), %rsp
	xor %ebp, %ebp
	call ap_main
	ud2
	.cfi_endproc
	.size trampoline_32, . - trampoline_32

	.section .note.GNU-stack, "", @progbits
