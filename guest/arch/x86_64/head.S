/* SPDX-License-Identifier: MIT */
/*
 * head.S: from the PVH entry to C.
 *
 * PVH (xen/include/public/arch-x86/hvm/start_info.h) enters in 32-bit protected mode, paging off, with the
 * start info's address in EBX. Boot time is an instruction count where ring 0 is emulated; so all tables are
 * part of the image, and this code only loads registers.
 */
#include "arch/x86_64/long_mode.h"
#include "arch/x86_64/pte.h"
#include "kvmap/layout.h"

#define TSS_SEL 0x18

/* GPA of a table in .data.head; the assembler knows the section's address. */
#define TABLE(symbol) (KVMAP_IMAGE_DATA_GPA + symbol - data_head)

	.cfi_sections .debug_frame

	/* ELF note of Xen, type 18: XEN_ELFNOTE_PHYS32_ENTRY */
	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 8, 18
	.asciz "Xen"
	.quad GPA(pvh_start)

	.section .text.head, "ax", @progbits
	.code32
	.globl pvh_start
	.type pvh_start, @function
pvh_start:
	rdtsc
	mov %eax, %esi
	mov %edx, %edi
	enter_long_mode high_half

high_half:
	.cfi_startproc simple
	.cfi_def_cfa rsp, 0
	.cfi_undefined rip /* no caller */
	mov $stack_top, %rsp
	lgdt gdt_pointer(%rip)
	lidt idt_pointer(%rip)
	mov $KERNEL_DS, %eax
	mov %eax, %ss
	mov %eax, %ds
	mov %eax, %es
	mov $TSS_SEL, %eax
	ltr %ax
	shl $32, %rdi
	or %rdi, %rsi
	mov %ebx, %edi
	xor %ebp, %ebp
	call boot
	ud2
	.cfi_endproc
	.size pvh_start, . - pvh_start

	/* First in .data, at KVMAP_IMAGE_DATA_GPA. The page below is unmapped: the stack's guard page. */
	.section .data.head, "aw", @progbits
	.balign 4096
data_head:
	.globl stack_bottom
stack_bottom:
	.skip 8192
stack_top:

	.globl boot_tables, boot_tables_end, init_top_pgt, boot_image_pud, boot_image_pmd, boot_direct_pud
	.globl boot_direct_pmd
boot_tables:
init_top_pgt:
	.quad TABLE(boot_image_pud) + _PAGE_TABLE /* identity map until paging_map_image() */
	.skip 8 * 272
	.quad TABLE(boot_direct_pud) + _PAGE_TABLE /* 273: KVMAP_DIRECT_BASE */
	.skip 8 * 237
	.quad TABLE(boot_image_pud) + _PAGE_TABLE /* 511 */
boot_image_pud:
	.quad TABLE(boot_image_pmd) + _PAGE_TABLE /* identity */
	.skip 8 * 509
	.quad TABLE(boot_image_pmd) + _PAGE_TABLE /* 510: KVMAP_IMAGE_BASE */
	.skip 8
boot_image_pmd:
	.quad 0
	/* paging_map_image() replaces both with tables of 4K pages. */
	.quad KVMAP_IMAGE_GPA + _PAGE_KERNEL_RX + _PAGE_PSE
	.quad KVMAP_IMAGE_DATA_GPA + _PAGE_KERNEL + _PAGE_PSE
	.skip 8 * 509
boot_direct_pud:
	.quad TABLE(boot_direct_pmd) + _PAGE_TABLE
	.skip 8 * 511
boot_direct_pmd:
	.quad _PAGE_KERNEL + _PAGE_PSE
	.quad KVMAP_IMAGE_GPA + _PAGE_KERNEL_RO + _PAGE_PSE
	.set i, 2
	.rept BOOT_DIRECT_PAGES - 2
	.quad i * 0x200000 + _PAGE_KERNEL + _PAGE_PSE
	.set i, i + 1
	.endr
	.skip 8 * (512 - BOOT_DIRECT_PAGES)
boot_tables_end:

	.globl gdt, gdt_pointer_low
	/*
	 * The types have the accessed bit set, so that the CPU does not write here. The TSS is available; LTR
	 * makes it busy.
	 */
gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* KERNEL_CS: 64-bit code */
	.quad 0x00cf93000000ffff /* KERNEL_DS */
	.word tss_end - tss - 1
	.word TABLE(tss) & 0xffff
	.byte (TABLE(tss) >> 16) & 0xff
	.byte 0x89, 0
	.byte ((TABLE(tss) + KVMAP_IMAGE_BASE) >> 24) & 0xff
	.long 0xffffffff
	.long 0
gdt_end:

	.balign 8
	.long 0 /* aligns the 64-bit fields of the TSS */
tss:
	.skip 36
	.quad ist_stacks + 1 * IST_STACK_SIZE /* IST1: #DF */
	.quad ist_stacks + 2 * IST_STACK_SIZE /* IST2: NMI */
	.quad ist_stacks + 3 * IST_STACK_SIZE /* IST3: #MC */
	.skip 40
	.word 0, 104 /* no I/O bitmap */
tss_end:

	.section .rodata.head, "a", @progbits
	.balign 8
	.word 0, 0, 0
gdt_pointer:
	.word gdt_end - gdt - 1
	.quad gdt
	.balign 4
gdt_pointer_low:
	.word gdt_end - gdt - 1
	.long GPA(gdt)

	.set IST_STACK_SIZE, 4096
	.bss
	.balign 4096
ist_stacks:
	.skip 3 * IST_STACK_SIZE

	.section .note.GNU-stack, "", @progbits
