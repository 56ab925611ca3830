/* SPDX-License-Identifier: MIT */
/*
 * pte.h: bits of page-table entries (SDM vol. 3A 4.5), for C and for the assembler.
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
 * Combinations that the kernel uses. Accessed and dirty are set in advance: no page is ever evicted, and the
 * CPU need not write them back during a walk.
 */
#define _PAGE_TABLE     (_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED)
#define _PAGE_KERNEL_RX (_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_GLOBAL)
#define _PAGE_KERNEL_RO (_PAGE_KERNEL_RX | _PAGE_NX)
#define _PAGE_KERNEL    (_PAGE_KERNEL_RO | _PAGE_RW | _PAGE_DIRTY)

/*
 * 2 MiB pages of the direct map that the image's own tables map. paging_map_ram() extends or trims them to
 * RAM.
 */
#define BOOT_DIRECT_PAGES 128

#endif
