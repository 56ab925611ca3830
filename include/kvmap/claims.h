/* SPDX-License-Identifier: MIT */
/*
 * claims.h: the numbers with which the guest's structures speak: kinds of owners, flags, indices of accounts.
 * Where the members of the structures are, the host finds out from symbols and DWARF.
 */
#ifndef KVMAP_CLAIMS_H
#define KVMAP_CLAIMS_H

#define MAX_ORDER 10 /* largest buddy block: 2^10 pages, 4 MiB */

/*
 * Who has a frame: struct page.owner. A struct page that is all zero (PAGE_NONE) has no owner of its own: its
 * frame lies in a reserved region of memblock, or in the zone's fresh range, or it is the tail of the block
 * at whose head (lower pfn, 2^order frames) the owner stands.
 */
enum page_owner {
	PAGE_NONE = 0,
	PAGE_FREE = 1,    /* head of a free buddy block of 2^order frames, on zone->free_area[order] */
	PAGE_TABLE = 2,   /* a page table */
	PAGE_SLAB = 3,    /* objects; on its kmem_cache's list */
	PAGE_VMALLOC = 4, /* in the chain of a vm_struct: a live area's, or one that waits for its flush */
	PAGE_HELD = 5,    /* taken by `fragment`; on held_pages */
	PAGE_KMALLOC = 6, /* head of 2^order frames handed out by alloc_pages() or a large kmalloc() */
	PAGE_PCP = 7,     /* nobody's, kept by a CPU for its next allocation: on its pcp or pcp_zero */
};

/* zone.kind: which addresses a zone may hold. Linux's zones. */
enum zone_type {
	ZONE_DMA = 0,    /* below 16 MiB */
	ZONE_DMA32 = 1,  /* below 4 GiB */
	ZONE_NORMAL = 2, /* any */
	ZONE_TYPES = 3,
};

/* First frame that a zone of that type must not have. */
#define ZONE_DMA_END_PFN   0x1000
#define ZONE_DMA32_END_PFN 0x100000

/* memblock_region.kind */
enum memblock_kind {
	MEMBLOCK_RAM = 0,
	MEMBLOCK_LOW = 1,     /* below 1 MiB */
	MEMBLOCK_IMAGE = 2,   /* text, rodata, data, bss and the padding between */
	MEMBLOCK_MEM_MAP = 3, /* mem_map itself and page tables made before it */
	MEMBLOCK_MODULE = 4,  /* boot record and script */
	MEMBLOCK_CPUS = 5,    /* stacks and descriptor tables of the CPUs that the first one starts */
};

/* vm_struct.flags */
#define VM_ALLOC    0x00000002 /* vmalloc() */
#define VM_MAP      0x00000004 /* vmap(): frames that others own; see vm_struct.frames_sum */
#define VM_USERMAP  0x00000008 /* vmalloc_user() */
#define VM_HUGE     0x00000400 /* vmalloc_huge(): a frame of the chain that has an order stands for its block */
#define VM_MAP_RAM  0x00040000 /* with VM_MAP: vm_map_ram() */
#define VM_ZERO     0x00010000 /* vzalloc() */
#define VM_READONLY 0x00020000
#define VM_EXEC     0x00080000 /* with VM_READONLY: set_memory_x() */

/* vmap_area.state */
enum vmap_area_state {
	VMAP_LIVE = 0,
	VMAP_LAZY = 1,     /* freed, unmapped; its frames may still be its own */
	VMAP_CACHED = 2,   /* nobody's, kept for an area of its size */
	VMAP_NEW = 3,      /* in no tree yet */
	VMAP_BLOCK = 4,    /* vm_map_ram()'s, for many small mappings: struct vmap_block */
	VMAP_DEFERRED = 5, /* freed by vfree_atomic(), and all its own still: mapped, with its frames */
};

/*
 * A block of vm_map_ram() is 2M, aligned, of which so many pairs of pages are used. A mapping takes as many
 * pairs as it needs for its pages and a guard page behind them.
 */
#define VMAP_BLOCK_SIZE   0x200000ul
#define VMAP_BLOCK_SLOTS  255
#define VMAP_BLOCK_DIRTY  256 /* vmap_block.dirty when all slots are, and no CPU maps in it any more */
#define VMAP_BLOCK_MOST   64  /* pages of a mapping */
#define VMAP_SLOTS(pages) ((pages) / 2 + 1)

/*
 * What frame `pfn` at page number `page` of a VM_MAP area adds to vm_struct.frames_sum (64 bits, modulo
 * 2^64). Two pages that change places change the sum.
 */
#define FRAMES_SUM(page, pfn) ((uint64_t)(pfn) * (2 * (uint64_t)(page) + 1))

/* What a PAGE_KMALLOC block adds to the sum of its kind, cpu_cache.blocks_sum. */
#define BUDDY_BLOCK_WEIGHT(order, pfn) ((uint64_t)(order) << 32 | (pfn))

/* tlb_flush.cpu: not a flush of that CPU, but ... */
#define TLB_FLUSH_UNMAP   0x80000000u /* an unmapping by it */
#define TLB_FLUSH_IDLE    0x40000000u /* it uses no translation of vmalloc from here on, until its */
#define TLB_FLUSH_WAKE    0x20000000u
#define TLB_FLUSH_PROTECT 0x10000000u /* it took a right from a range that stays mapped */
#define TLB_FLUSH_TABLE   0x08000000u /* it took away the table that the range was mapped by */
#define TLB_FLUSH_EVENT                                                                                      \
	(TLB_FLUSH_UNMAP | TLB_FLUSH_PROTECT | TLB_FLUSH_IDLE | TLB_FLUSH_WAKE | TLB_FLUSH_TABLE)

/* cpu.state */
enum cpu_state {
	CPU_RUNNING = 0,
	CPU_IDLE = 1,       /* halted, or about to be */
	CPU_IDLE_STALE = 2, /* the same, and it will flush everything when it wakes, before anything else */
};

/* Indices of vm_stat[]: pages */
enum vm_stat_item {
	NR_FREE_PAGES = 0,
	NR_SLAB_PAGES = 1,
	NR_PAGETABLE_PAGES = 2, /* all of them, the boot's too */
	NR_VMALLOC_PAGES = 3,   /* of areas that are mapped: live, or waiting to be freed */
	NR_LAZY_PAGES = 4,      /* of freed areas that wait for a flush */
	NR_HELD_PAGES = 5,
	NR_KMALLOC_PAGES = 6, /* of PAGE_KMALLOC blocks */
	NR_VM_STAT_ITEMS = 7,
};

/* agent_inside[]: not in the middle of an operation of the script, whose line stands there else, but of the
 * boot */
#define KVMAP_INSIDE_BOOT 0xffffffffu

/* agent_variable.state */
enum agent_variable_state {
	VARIABLE_UNSET = 0,
	VARIABLE_LIVE = 1,
	VARIABLE_FREED = 2, /* the address stays, for `expect fault freed` */
};

/* agent_variable.contents */
enum agent_contents {
	CONTENTS_UNKNOWN = 0,
	CONTENTS_ZERO = 1,    /* all of it: vzalloc, nothing written since */
	CONTENTS_PATTERN = 2, /* page i is filled with KVMAP_PATTERN(fill_seed, i) */
};

#endif
