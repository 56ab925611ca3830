/* SPDX-License-Identifier: MIT */
/*
 * pte.h: the bits of a page-table entry (SDM vol. 3A 4.5), for C and for the assembler.
 */
#ifndef GUEST_ARCH_PTE_H
#define GUEST_ARCH_PTE_H

#define _PAGE_PRESENT  0x001
#define _PAGE_RW       0x002
#define _PAGE_ACCESSED 0x020
#define _PAGE_DIRTY    0x040
#define _PAGE_PSE      0x080 /* a 2M or 1G page */
#define _PAGE_GLOBAL   0x100
#define _PAGE_NX       0x8000000000000000

/*
 * What the kernel uses. Accessed and dirty are set beforehand: nobody here evicts pages, and a walk that has
 * nothing to write back is the cheaper one.
 */
#define _PAGE_TABLE     (_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED)
#define _PAGE_KERNEL_RX (_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_GLOBAL)
#define _PAGE_KERNEL_RO (_PAGE_KERNEL_RX | _PAGE_NX)
#define _PAGE_KERNEL    (_PAGE_KERNEL_RO | _PAGE_RW | _PAGE_DIRTY)

/* The direct map's first pages are in the tables that the image carries; boot extends or trims them to RAM.
 */
#define BOOT_DIRECT_PAGES 128 /* of 2 MiB */

#endif
