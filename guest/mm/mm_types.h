/* SPDX-License-Identifier: MIT */
/*
 * mm_types.h: the structures of the memory manager.
 *
 * The host reads them by name (symbols and DWARF): their contents are the guest's claims. Things that Linux
 * has, too, have Linux's names.
 */
#ifndef GUEST_MM_TYPES_H
#define GUEST_MM_TYPES_H

#include "kvmap/claims.h"
#include "kvmap/layout.h"
#include "kvmap/limits.h"
#include "kvmap/statistics.h"
#include "lib/rbtree.h"
#include "lib/spinlock.h"
#include "lib/types.h"

#include <assert.h>

#define PAGE_SHIFT KVMAP_PAGE_SHIFT
#define PAGE_SIZE  (1ul << PAGE_SHIFT)

/* ---- page frames ---- */

/*
 * One per page frame, indexed by pfn, in mem_map. All zero at boot, and written only when the frame is first
 * used, so that unused frames cost nothing.
 *
 * Chains and free lists link pfns, not pointers; pfn 0 ends them, since frame 0 is never managed.
 */
struct page {
	union {
		struct {
			u8 owner;  /* enum page_owner */
			u8 order;  /* of the buddy block whose head this is */
			u16 cache; /* PAGE_SLAB: index of the kmem_cache */
			u32 next;
		};
		u64 head; /* the four above, for one store */
	};
	union {
		/*
		 * First frame of an area: GPA / 16 of its vmap_area; PAGE_TABLE: GPA / 16 of the vmap_block
		 * that it maps. 0: none, or GPA too large
		 */
		u32 area;
		u32 prev; /* PAGE_FREE, PAGE_SLAB: previous on the list; 0 = first */
		/* PAGE_KMALLOC: requested size of kmalloc(); 0: all of the block */
		u32 requested;
	};
	union {
		u32 vpn; /* PAGE_VMALLOC, and later: PAGE_VPN() of the last vmalloc address it was mapped at */
		struct {
			u16 nr_objects; /* PAGE_SLAB: length of freelist */
			/* PAGE_SLAB: free objects on no per-CPU list: 1 + offset / 8 of the first, 0 = none */
			u16 freelist;
		};
	};
	/*
	 * tlb_gen when its last vmalloc mapping, or the last entry that pointed to it as a page table, was
	 * removed; 0 = never
	 */
	u64 unmapped;
	u64 allocated; /* tlb_gen at its last allocation */
};

static_assert(sizeof(struct page) == 32, "struct page");

/* Place of `order` in `head`. */
#define PAGE_ORDER_SHIFT 8

struct free_area {
	u32 first; /* pfn of the first buddy block, 0 = none */
	u32 nr_free;
};

/*
 * Order of the smallest buddy block of at least `size` bytes. MAX_ORDER + 1 for size 0 and for sizes that are
 * too large.
 */
static inline unsigned int get_order(unsigned long size)
{
	if (size - 1 >= PAGE_SIZE << MAX_ORDER)
		return MAX_ORDER + 1;
	size = (size - 1) >> PAGE_SHIFT;
	return size ? 64 - (unsigned int)__builtin_clzl(size) : 0;
}

/* WMARK_NONE: for requests that may use the reserve. */
enum zone_watermarks { WMARK_NONE, WMARK_MIN, WMARK_LOW, NR_WMARK };

/*
 * A stretch: a contiguous range of managed RAM of one zone type and one NUMA node. Reserved memory divides Linux's zone,
 * all stretches of a type and node, into several, which are neighbours in zones[]. zones[] is sorted by address, and so by type. Frames in [fresh_start, fresh_end) have never been allocated:
 * they are free and, with fresh_is_zero, zero; so are their struct pages. They join the free lists, as buddy blocks, when they
 * are needed.
 */
struct zone {
	u32 start_pfn;
	u32 end_pfn; /* exclusive */
	u32 fresh_start;
	u32 fresh_end;
	u32 kind; /* enum zone_type */
	u32 numa_node;
	struct spinlock lock; /* of the fields that change, and of the struct pages of free frames */
	u64 free_pages;       /* frames on the free lists and fresh frames */
	struct free_area free_area[MAX_ORDER + 1];
	/*
	 * In frames, of all stretches of the type and node together. A request takes none that would leave fewer than
	 * watermark[] + lowmem_reserve[] free in them, the latter by the highest zone type that the request allows
	 * (mm/page/watermark.h).
	 */
	u32 watermark[NR_WMARK];
	u32 lowmem_reserve[ZONE_TYPES];
	u32 first_stretch, nr_stretches; /* indices in zones[] of these stretches */
};

#define MAX_NR_ZONES KVMAP_ZONES_MAX
static_assert(MAX_NR_ZONES >= 3 * KVMAP_NODES_MAX, "each node can have zones of all three types");
static_assert(MAX_NR_ZONES <= 0xff, "zonelist.zones has a byte for each");

struct memblock_region {
	u64 base; /* GPA */
	u64 size; /* bytes */
	u32 kind;
	u32 unused;
};

#define MEMBLOCK_REGIONS KVMAP_MEMBLOCK_REGIONS_MAX

/* RAM according to the boot memory map, and the parts of it that are not managed. Sorted, page-aligned. */
struct memblock {
	u32 nr_memory;
	u32 nr_reserved;
	struct memblock_region memory[MEMBLOCK_REGIONS];
	struct memblock_region reserved[MEMBLOCK_REGIONS];
};

/* ---- objects ---- */

/* A list of free objects, each linked to the next (kmem_cache.link). */
struct kmem_list {
	void *free;
	u32 nr;
	u32 unused;
};

/*
 * Objects of one size, in slabs of 2^order frames. A free object is on a CPU's list or on its slab's. struct
 * page.next and prev link the slabs.
 */
struct kmem_cache {
	const char *name;
	u32 object_size;
	u16 order; /* 1 for objects of more than a page, else 0 */
	u16 index; /* in kmem_caches[]; 0 = none yet */
	u32 per_slab;
	u32 last; /* offset of the last object in a slab */
	/* 2^32 / object_size, rounded up. 0: every kfree() takes the slow path, which validates the object */
	u32 reciprocal;
	u32 limit; /* most free objects on a CPU's list */
	/*
	 * Offset from a free object to the word that links it to the next one. 0: its first word. With
	 * slab_debug, in kmalloc's classes: the slab has twice the frames, and the word lies in the second
	 * half, with a redzone of at least half an object before it; the record of the requested size follows
	 */
	u32 link;
	u32 partial; /* pfn of the first slab with objects in its freelist, 0 = none */
	u32 full;    /* pfn of the first slab whose freelist is empty */
	u32 nr_slabs, nr_partial;
	u32 nr_empty;          /* slabs on the partial list whose objects are all in their freelist */
	u32 frees_empty_slabs; /* 1: empty slabs are freed; kmalloc's classes */
	u32 slack;             /* 1: objects record their requested size (mm/slab/object.h) */
	struct spinlock lock;  /* of the slabs, their lists and counters */
};

/* Indices in kmem_caches[] are below this; index 0 is invalid, kmalloc's classes come first. */
#define KMEM_CACHES_MAX KVMAP_KMEM_CACHES_MAX
static_assert(KMEM_CACHES_MAX <= 0xffff, "page.cache has 16 bits for the index");
#define KMALLOC_CLASSES 26

/* ---- vmalloc ---- */

struct vm_struct {
	void *addr;
	unsigned long size; /* in bytes, guard page included */
	unsigned long requested_size;
	unsigned long flags;
	u32 pages; /* first frame of a chain in address order; struct page.next links it */
	u32 nr_pages;
	const void *caller;
	/* VM_MAP: FRAMES_SUM() of all its pages; its frames have other owners, and `pages` is 0 */
	u64 frames_sum;
};

/*
 * A range of the vmalloc space. Free ranges are in free_vmap_area_root, with subtree_max_size. All others are
 * in vmap_area_root:
 *
 *   VMAP_LIVE      an area. A CPU frees it by changing the state to VMAP_LAZY in one atomic step
 *   VMAP_LAZY      lazily freed: unmapped; on a CPU's purge_list until a TLB flush, then on its flushed_list
 *                  until its frames are freed
 *   VMAP_CACHED    flushed and without frames, in a CPU's cached[] for the next area of its size
 *   VMAP_NEW       becoming an area; in no tree yet
 *   VMAP_BLOCK     a vmap block: small mappings of vm_map_ram(). Lazily freed, like VMAP_LAZY, when all its
 *                  slots were used and unmapped
 *   VMAP_DEFERRED  freed by vfree_atomic(). Still mapped and still counted; on its CPU's deferred list until
 *                  drained
 */
struct vmap_area {
	unsigned long va_start;
	unsigned long va_end; /* exclusive */
	struct rb_node rb_node;
	union {
		unsigned long subtree_max_size; /* free: largest range in the subtree */
		struct vmap_block *vmap_block;  /* VMAP_BLOCK */
		struct vm_struct *vm;           /* all other states */
	};
	struct vmap_area *next; /* VMAP_LAZY, VMAP_CACHED, VMAP_DEFERRED: next on the list */
	u64 unmapped;           /* tlb_gen at the latest unmapping of a part of the range; 0 = never */
	u64 allocated;          /* tlb_gen at its allocation */
	/*
	 * tlb_gen when its present guard page was unmapped. At most `allocated`: that page was never one of
	 * this area's
	 */
	u64 shrunk;
	u32 state; /* enum vmap_area_state; undefined for free ranges */
	/*
	 * VMAP_LAZY: pages before va_start, now the guard of a live area, that were unmapped with it; 0 or
	 * KVMAP_GUARD_PAGES
	 */
	u32 lead;
	u32 table; /* pfn of the page table of its first page, valid until the range is free; 0 = not known */
};

/* Objects are aligned to 16 bytes, so that struct page.area reaches 64 GiB. */
static_assert(sizeof(struct vmap_area) % 16 == 0, "struct vmap_area");

/*
 * A mapping in a vmap block, stored at its first slot. Entries of other slots are left over from earlier
 * mappings, and not VMAP_LIVE.
 */
struct vmap_block_map {
	u64 frames_sum; /* as vm_struct.frames_sum */
	const void *caller;
	union {
		u64 allocated; /* VMAP_LIVE: tlb_gen at its allocation */
		u64 unmapped;  /* VMAP_LAZY: tlb_gen at its unmapping */
	};
	u32 nr_pages;
	/* VMAP_LIVE; VMAP_LAZY: unmapped. A CPU unmaps it by changing the state in one atomic step */
	u32 state;
};

/*
 * A vmap block: 2M of addresses in which one CPU places small mappings, in ascending order. Any CPU may unmap
 * them, without a lock. Slots are reused only when all have been used and unmapped, after one TLB flush.
 */
struct vmap_block {
	struct vmap_area *va;
	void *table; /* from arch_table_make() */
	/* 0: freed. vmap_area.rb_node, at the same offset, never equals a vmalloc address */
	unsigned long va_start;
	u32 dirty; /* atomic: slots that are unmapped, or that will not be used before the flush */
	u16 used;  /* slots allocated, from the first on; written by the CPU that maps in it */
	u16 nr;    /* mappings in the used slots */
	struct vmap_block_map maps[];
};

#define VMAP_BLOCK_BYTES (sizeof(struct vmap_block) + VMAP_BLOCK_SLOTS * sizeof(struct vmap_block_map))

static_assert(VMAP_BLOCK_BYTES == 2 * PAGE_SIZE, "struct vmap_block");
static_assert(offsetof(struct vmap_block, va_start) == offsetof(struct vmap_area, rb_node),
	      "struct vmap_block");

/* Largest size of cached ranges, in pages without the guard page. */
#define VMAP_CACHED_PAGES 32

struct vmap_cached {
	struct vmap_area *first;
	u32 nr;
};

/*
 * Lazily freed ranges of a CPU. Only that CPU adds ranges; any CPU that purges may remove them, hence the
 * lock.
 */
struct vmap_lazy {
	struct spinlock lock;
	struct vmap_area *purge_list, *purge_last; /* waiting for a TLB flush */
	struct vmap_area *flushed_list;            /* flushed, frames not yet freed */
	u32 areas, pages;                          /* on purge_list */
	/*
	 * Freed by vfree_atomic(). Pushed without the lock, also by interrupt handlers; popped with the lock
	 * held.
	 */
	struct vmap_area *deferred;
};

/* ---- TLB flushes ---- */

/*
 * An event of the TLB log: a completed flush, or one of TLB_FLUSH_EVENT. tlb_gen, the flush generation,
 * increments at every event; the new value is the stamp of the entry, and its index in the log.
 *
 * CPUs unmap while others flush. A flush covers what was unmapped before it began: a flush with "unmapped <=
 * begun, stamp <= allocated" lies between an unmapping and the reuse.
 *
 * arch_unmap() logs the range it unmapped, so that the host knows which flush must cover it even after ranges
 * were merged or page.vpn was overwritten. arch_protect() logs a range that lost a permission,
 * arch_map_huge() each page table that it replaced.
 */
struct tlb_flush {
	u64 stamp; /* stored last; another value: the entry is older, or not complete */
	u64 begun; /* tlb_gen when the flush began; 0 for other events */
	u64 start;
	u64 end; /* exclusive; a full flush has 0 and ~0 */
	u32 cpu; /* number of the CPU; with a flag of TLB_FLUSH_EVENT (kvmap/claims.h): not a flush */
};

/*
 * The log is a ring: the entry of stamp s has index s % TLB_FLUSH_LOG, and the newest is that of tlb_gen. The
 * guest requests that the host read it (KVMAP_DOORBELL_FLUSHES) whenever half of it is new; the other half
 * has room for events until the host has.
 */
#define TLB_FLUSH_LOG      2048
#define TLB_FLUSH_LOG_HALF (TLB_FLUSH_LOG / 2)

/* TLB shootdowns. */
struct tlb_stats {
	u64 rounds;
	u64 ipis;         /* IPIs sent */
	u64 idle_skipped; /* idle CPUs skipped */
};

/* ---- CPUs ---- */

#define NR_CPUS KVMAP_CPUS_MAX

/* A CPU's list of single frames, PAGE_PCP, linked through struct page.next. They do not count as free. */
struct per_cpu_pages {
	u32 first; /* pfn, 0 = none */
	u32 nr;
};

/*
 * Data of one CPU. It needs no lock: no other CPU writes it, except `lazy`. Counters may wrap; only their
 * sums over all CPUs are meaningful.
 */
struct cpu_cache {
	struct kmem_list objects[KMEM_CACHES_MAX];             /* free objects by cache index */
	struct per_cpu_pages pcp, pcp_zero;                    /* pcp_zero: frames whose contents are zero */
	u32 page_alloc_status, vmalloc_status, kmalloc_status; /* of its last request: enum kvmap_status */
	u32 numa_node;
	u32 in_interrupt;    /* depth of nested interrupt handlers, see interrupt.h */
	u32 may_use_reserve; /* 1: its requests go below WMARK_MIN, see mm/page/watermark.h */
	/*
	 * For sizes up to this kmalloc() takes an object from `objects` without further checks. Reset to 0 by
	 * each interrupt, and set again by kmalloc()'s slow path unless every object must be checked.
	 */
	unsigned long kmalloc_fast_max;
	struct vmap_cached cached[VMAP_CACHED_PAGES + 1]; /* by size in pages */
	struct vmap_block *vmap_block;                    /* that it maps in, or NULL */
	struct vmap_cached cached_blocks;                 /* empty vmap blocks */
	u64 vmap_block_unmapped;                          /* tlb_gen at its last unmapping in a vmap block */
	struct vmap_lazy lazy;
	u64 vm_stat[NR_VM_STAT_ITEMS];
	/*
	 * BUDDY_BLOCK_WEIGHT(order, pfn), added for each PAGE_KMALLOC block allocated, subtracted for each
	 * freed
	 */
	u64 buddy_blocks_sum;
	struct vmalloc_stats stats;
} __attribute__((aligned(64)));

#endif
