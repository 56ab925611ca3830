/* SPDX-License-Identifier: MIT */
/*
 * claims.h: constants in the guest's structures: owners, flags, states, indices of counters. The host finds
 * the offsets of members from symbols and DWARF.
 */
#ifndef KVMAP_CLAIMS_H
#define KVMAP_CLAIMS_H

#include "kvmap/layout.h"

#define MAX_ORDER 10 /* largest buddy block: 2^10 pages, 4 MiB */

/*
 * Owner of a page frame, struct page.owner. A frame whose struct page is all zero (PAGE_NONE) is in a
 * reserved region of memblock, is fresh, or is in the tail of a buddy block, whose head (the lowest of its
 * 2^order pfns) has the owner.
 */
enum page_owner {
	PAGE_NONE = 0,
	PAGE_FREE = 1,    /* head of a free buddy block of 2^order frames, on zone->free_area[order] */
	PAGE_TABLE = 2,   /* a page table */
	PAGE_SLAB = 3,    /* a slab; on its kmem_cache's partial or full list */
	PAGE_VMALLOC = 4, /* in the chain of a vm_struct: of a live or a lazily freed area */
	PAGE_HELD = 5,    /* held by `fragment`; on held_pages */
	PAGE_KMALLOC = 6, /* head of a buddy block of alloc_pages() or a large kmalloc() */
	PAGE_PCP = 7,     /* free, on a CPU's pcp or pcp_zero list */
};

/*
 * Page number of a vmalloc address in struct page.vpn: from 1, modulo 2^32, which is 16 TiB. 0: none, or the
 * one page where it wraps.
 */
#define PAGE_VPN(va) ((uint32_t)(((va)-KVMAP_VMALLOC_START) / KVMAP_PAGE_SIZE + 1))

/* Zone types, with Linux's names: the addresses a zone may contain. zone.kind. */
enum zone_type {
	ZONE_DMA = 0,    /* below 16 MiB */
	ZONE_DMA32 = 1,  /* below 4 GiB */
	ZONE_NORMAL = 2, /* any */
	ZONE_TYPES = 3,
};

/* First pfn above the zone type. */
#define ZONE_DMA_END_PFN   0x1000
#define ZONE_DMA32_END_PFN 0x100000

/* memblock_region.kind */
enum memblock_kind {
	MEMBLOCK_RAM = 0,
	MEMBLOCK_LOW = 1,     /* below 1 MiB */
	MEMBLOCK_IMAGE = 2,   /* text, rodata, data, bss and the padding between them */
	MEMBLOCK_MEM_MAP = 3, /* mem_map; page tables made before it */
	MEMBLOCK_MODULE = 4,  /* boot record with script */
	MEMBLOCK_CPUS = 5,    /* entry areas (stacks, GDT, TSS) of the CPUs that the boot CPU starts */
};

/* vm_struct.flags. X(name, value, word, whether /proc/vmallocinfo of Linux has the word) */
#define KVMAP_VM_FLAGS(X)                                                                                    \
	X(VM_ALLOC, 0x00000002, "vmalloc", true) /* vmalloc() */                                             \
	X(VM_MAP, 0x00000004, "vmap", true)     /* vmap(): frames with other owners; vm_struct.frames_sum */ \
	X(VM_USERMAP, 0x00000008, "user", true) /* vmalloc_user() */                                         \
	X(VM_HUGE, 0x00000400, "huge", false)   /* vmalloc_huge(): entries with an order are buddy blocks */ \
	X(VM_MAP_RAM, 0x00040000, "vm_map_ram", false) /* with VM_MAP: vm_map_ram() */                       \
	X(VM_ZERO, 0x00010000, "zero", false)          /* vzalloc() */                                       \
	X(VM_READONLY, 0x00020000, "readonly", false)                                                        \
	X(VM_EXEC, 0x00080000, "exec", false) /* with VM_READONLY: set_memory_x() */

#define KVMAP_VM_ENUM(name, value, word, linux_has) name = (value),
enum vm_flags { KVMAP_VM_FLAGS(KVMAP_VM_ENUM) };
#undef KVMAP_VM_ENUM

/* vmap_area.state */
enum vmap_area_state {
	VMAP_LIVE = 0,
	VMAP_LAZY = 1,     /* lazily freed: unmapped; it may still have its frames */
	VMAP_CACHED = 2,   /* cached for the next area of its size */
	VMAP_NEW = 3,      /* in no tree yet */
	VMAP_BLOCK = 4,    /* vmap block of vm_map_ram(): struct vmap_block */
	VMAP_DEFERRED = 5, /* freed by vfree_atomic(); still mapped, and with its frames */
};

/*
 * A vmap block of vm_map_ram() is 2M, 2M-aligned, and has VMAP_BLOCK_SLOTS slots of two pages. A mapping
 * takes as many slots as its pages and its guard need.
 */
#define VMAP_BLOCK_SIZE  0x200000ul
#define VMAP_BLOCK_SLOTS 255
/* vmap_block.dirty when no slot will be used before the flush, and no CPU maps in it */
#define VMAP_BLOCK_DIRTY     256
#define VMAP_BLOCK_PAGES_MAX 64 /* most pages of a mapping */
#define VMAP_SLOTS(pages)    (((pages) + KVMAP_GUARD_PAGES - 1) / 2 + 1)

/*
 * Term of page number `page` with frame `pfn` in vm_struct.frames_sum of a VM_MAP area (64 bits, modulo
 * 2^64). Swapping two pages changes the sum.
 */
#define FRAMES_SUM(page, pfn) ((uint64_t)(pfn) * (2 * (uint64_t)(page) + 1))

/* Term of a PAGE_KMALLOC buddy block in cpu_cache.buddy_blocks_sum. */
#define BUDDY_BLOCK_WEIGHT(order, pfn) ((uint64_t)(order) << 32 | (pfn))

/*
 * The last byte of an object of kmalloc() whose class has slack: object_size - requested size. From
 * KMALLOC_SLACK_LONG on it is that, and the two bytes four before the end have the number.
 */
#define KMALLOC_SLACK_LONG 0xff

/*
 * With slab_debug: each byte of a free object; each after the requested size of an allocated object or block,
 * and each byte of the second half of a slab that is neither a link nor a record.
 */
#define KMALLOC_POISON        0x6b
#define KMALLOC_REDZONE       0xcc
#define KMALLOC_WORD_OF(byte) ((uint64_t)(byte)*0x0101010101010101u)

/* The record of an object's requested size, at kmem_cache.link + KMALLOC_RECORD_OFFSET; size 0: it is free. */
#define KMALLOC_RECORD(size)            ((uint64_t)(size) | (uint64_t)(uint32_t) ~(uint32_t)(size) << 32)
#define KMALLOC_RECORD_SIZE(record)     ((uint32_t)(record))
#define KMALLOC_RECORD_IS_VALID(record) ((record) == KMALLOC_RECORD(KMALLOC_RECORD_SIZE(record)))
#define KMALLOC_RECORD_OFFSET           8

/* Flags of tlb_flush.cpu: events that are not flushes. */
#define TLB_FLUSH_UNMAP   0x80000000u /* unmapping by this CPU */
#define TLB_FLUSH_IDLE    0x40000000u /* this CPU uses no vmalloc translation until TLB_FLUSH_WAKE */
#define TLB_FLUSH_WAKE    0x20000000u
#define TLB_FLUSH_PROTECT 0x10000000u /* a mapped range lost a permission */
#define TLB_FLUSH_TABLE   0x08000000u /* the range's page table was replaced by a leaf */
#define TLB_FLUSH_EVENT                                                                                      \
	(TLB_FLUSH_UNMAP | TLB_FLUSH_PROTECT | TLB_FLUSH_IDLE | TLB_FLUSH_WAKE | TLB_FLUSH_TABLE)
/* With TLB_FLUSH_UNMAP: the range was executable. It is flushed before its frames are freed under every policy. */
#define TLB_FLUSH_EXEC 0x04000000u
/* Number of the CPU in tlb_flush.cpu. */
#define TLB_FLUSH_CPU(cpu) ((cpu) & ~(TLB_FLUSH_EVENT | TLB_FLUSH_EXEC))

/* cpu.state */
enum cpu_state {
	CPU_RUNNING = 0,
	CPU_IDLE = 1,       /* halted, or about to halt */
	CPU_IDLE_STALE = 2, /* the same; it flushes everything when it wakes, before any access */
};

/* Indices of vm_stat[], in pages. */
enum vm_stat_item {
	NR_FREE_PAGES = 0,
	NR_SLAB_PAGES = 1,
	NR_PAGETABLE_PAGES = 2, /* all page tables, the boot's included */
	NR_VMALLOC_PAGES = 3,   /* of mapped areas: live, or freed by vfree_atomic() */
	NR_LAZY_PAGES = 4,      /* of lazily freed areas */
	NR_HELD_PAGES = 5,
	NR_KMALLOC_PAGES = 6, /* of PAGE_KMALLOC buddy blocks */
	NR_VM_STAT_ITEMS = 7,
};

/*
 * Value of agent_inside[cpu] during boot. At any other time: script line of the operation in progress, 0 =
 * none.
 */
#define KVMAP_INSIDE_BOOT 0xffffffffu

/* agent_variable.state */
enum agent_variable_state {
	VARIABLE_UNSET = 0,
	VARIABLE_LIVE = 1,
	VARIABLE_FREED = 2, /* the address is kept, for `expect fault freed` */
};

/* agent_variable.contents */
enum agent_contents {
	CONTENTS_UNKNOWN = 0,
	CONTENTS_ZERO = 1,    /* zeros; nothing was written since */
	CONTENTS_PATTERN = 2, /* page i is filled with KVMAP_PATTERN(fill_seed, i) */
};

#endif
