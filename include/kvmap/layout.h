/* SPDX-License-Identifier: MIT */
/*
 * layout.h: the guest's address space.
 *
 *   0x0000000000000000  page 0 and all of the low half: unmapped
 *   0xffff888000000000  direct map: all of RAM, RW+NX (text and rodata: R+NX)
 *   0xffffc90000000000  vmalloc
 *   0xffffe90000000000  end of vmalloc
 *   0xffffffff80000000  image: GPA + KVMAP_IMAGE_BASE; text RX, rodata R, data RW+NX
 *
 * The values are Linux's for 4-level paging (Documentation/arch/x86/x86_64/mm.rst).
 */
#ifndef KVMAP_LAYOUT_H
#define KVMAP_LAYOUT_H

#define KVMAP_PAGE_SHIFT    12
#define KVMAP_PAGE_SIZE     0x1000
#define KVMAP_DIRECT_BASE   0xffff888000000000
#define KVMAP_VMALLOC_START 0xffffc90000000000
/* exclusive */
#define KVMAP_VMALLOC_END 0xffffe90000000000
#define KVMAP_IMAGE_BASE  0xffffffff80000000

/* The guard after each area and each mapping in a vmap block: pages that are never mapped. */
#define KVMAP_GUARD_PAGES 1
#define KVMAP_GUARD_SIZE  (KVMAP_GUARD_PAGES * 1ul * KVMAP_PAGE_SIZE)

/* GPA of the first byte of text. Text and rodata lie in [2M, 4M), data from 4M on. */
#define KVMAP_IMAGE_GPA      0x200000
#define KVMAP_IMAGE_DATA_GPA 0x400000

/* Memory below 1 MiB is never allocated: it has boot records, the channel and firmware. */
#define KVMAP_LOW_RESERVED 0x100000

#endif
