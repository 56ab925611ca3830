/* SPDX-License-Identifier: MIT */
/*
 * mm_types.h: everything the memory manager knows, as plain C.
 *
 * The host reads these structures from outside by name (symbols and DWARF): what stands here is what the
 * guest claims. Names are Linux's where the thing is Linux's thing.
 */
#ifndef GUEST_MM_TYPES_H
#define GUEST_MM_TYPES_H

#include "kvmap/claims.h"
#include "lib/rbtree.h"
#include "lib/spinlock.h"
#include "lib/types.h"

#include <assert.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul

/* ---- frames ---- */

/*
 * One per frame, indexed by pfn, in mem_map. Zero as the host hands it over, and touched only when the frame
 * is: an untouched frame costs nothing at boot.
 *
 * Chains and free lists link pfns, not pointers; 0 ends them, since frame 0 is never managed.
 */
struct page {
	union {
		struct {
			u8 owner;  /* enum page_owner */
			u8 order;  /* of the block whose head this is */
			u16 cache; /* PAGE_SLAB: number of its kmem_cache */
		};
		u32 head; /* all three, to be written at once */
	};
	u32 next;
	u32 prev;      /* free lists and slabs only; 0 = first */
	u32 unmapped;  /* tlb_gen when its last vmalloc mapping was taken away, or the last entry that led to
		       * it as a table; 0 = never */
	u32 allocated; /* tlb_gen when it was handed out last */
	union {
		u32 area;       /* first frame of an area: GPA / 16 of its vmap_area, 0 if that is too large.
				 * PAGE_TABLE: the same of the vmap_block that it maps, or 0 */
		u32 nr_objects; /* PAGE_SLAB: in freelist */
	};
	union {
		u64 vaddr;      /* PAGE_VMALLOC, and after: where vmalloc maps or mapped it */
		void *freelist; /* PAGE_SLAB: its free objects that no CPU keeps */
	};
};

static_assert(sizeof(struct page) == 32, "struct page");

struct free_area {
	u32 first; /* pfn of the first block, 0 = none */
	u32 nr_free;
};

/*
 * A span of RAM that is handed out, all of one type; a type may have several. Sorted by address, so that the
 * types are in order too. Frames from fresh_start to fresh_end (exclusive) have never been touched:
 * they are free and zero, and their struct pages are zero. They join the free lists in blocks as they are
 * needed.
 */
struct zone {
	u32 start_pfn;
	u32 end_pfn; /* exclusive */
	u32 fresh_start;
	u32 fresh_end;
	u32 kind; /* enum zone_type */
	u32 numa_node;
	struct spinlock lock; /* of all that changes here, and of the struct pages of what is free */
	u64 free_pages;       /* on the free lists and fresh */
	struct free_area free_area[MAX_ORDER + 1];
};

#define MAX_NR_ZONES 32

struct memblock_region {
	u64 base; /* GPA */
	u64 size; /* bytes */
	u32 kind;
	u32 unused;
};

#define MEMBLOCK_REGIONS 16

/* RAM as the boot memory map says, and what of it was never given to the allocator. Sorted, page-aligned. */
struct memblock {
	u32 nr_memory;
	u32 nr_reserved;
	struct memblock_region memory[MEMBLOCK_REGIONS];
	struct memblock_region reserved[MEMBLOCK_REGIONS];
};

/* ---- objects ---- */

/* Free objects; each holds the pointer to the next in its first word. */
struct kmem_list {
	void *free;
	u32 nr;
	u32 unused;
};

/*
 * Objects of one size, cut from slabs of 2^order frames. A free object is on a CPU's list, or on its slab's.
 * Slabs are chained through struct page.next and prev.
 */
struct kmem_cache {
	const char *name;
	u32 object_size;
	u16 order; /* 1 for objects of more than a page, else 0 */
	u16 index; /* its number, 0 = none yet */
	u32 per_slab;
	u32 last;       /* offset of a slab's last object */
	u32 reciprocal; /* 2^32 / object_size, rounded up; 0: kfree() looks at each object closer */
	u32 limit;      /* free objects that a CPU keeps */
	u32 partial;    /* pfn of the first slab that has free objects of its own, 0 = none */
	u32 full;       /* of the others */
	u32 nr_slabs, nr_partial;
	u32 nr_empty;         /* of the partial ones: all of their objects are on their lists */
	u32 gives_back;       /* not 0: empty slabs go back to where they came from */
	struct spinlock lock; /* of the slabs, their lists, and how many there are */
};

/* Caches have numbers below it, from 1: first those of kmalloc's classes. */
#define KMEM_CACHES_MAX 32
#define KMALLOC_CLASSES 13

/* ---- vmalloc ---- */

struct vm_struct {
	void *addr;
	unsigned long size; /* bytes, guard page included */
	unsigned long requested_size;
	unsigned long flags;
	u32 pages; /* chain of frames through struct page.next, in the order of their addresses */
	u32 nr_pages;
	const void *caller;
	u64 frames_sum; /* VM_MAP: FRAMES_SUM() of all its pages. Its frames are others': `pages` is 0 */
};

/*
 * A range of vmalloc space. Free: in free_vmap_area_root, with subtree_max_size. Any other is in
 * vmap_area_root, with a vm, and stays there from one use to the next:
 *
 *   VMAP_LIVE  an area. Who turns it into VMAP_LAZY, in one step, is who frees it
 *   VMAP_LAZY  freed, and soon unmapped; on a CPU's purge_list until it is flushed, then on its
 *              flushed_list until its frames are given back
 *   VMAP_CACHED  flushed and empty, in a CPU's cached[] for the next area of its size
 *   VMAP_NEW   on its way to become an area, and in no tree
 *   VMAP_BLOCK small mappings of vm_map_ram(), see struct vmap_block; on a list as a VMAP_LAZY one when all
 * of it was used and unmapped
 *   VMAP_DEFERRED  freed by vfree_atomic(), on a CPU's deferred list; still mapped, and not unaccounted
 *              for, until somebody takes it from there and frees it as VMAP_LAZY
 */
struct vmap_area {
	unsigned long va_start;
	unsigned long va_end; /* exclusive */
	struct rb_node rb_node;
	union {
		unsigned long subtree_max_size; /* free: the largest range in the subtree */
		struct vmap_block *vmap_block;  /* VMAP_BLOCK */
		struct vm_struct *vm;           /* all others */
	};
	struct vmap_area *next; /* VMAP_LAZY, VMAP_CACHED, VMAP_DEFERRED: on its list */
	u32 unmapped;           /* newest tlb_gen at which a part of the range was unmapped; 0 = never */
	u32 allocated;          /* tlb_gen when it was handed out */
	u32 state;              /* enum vmap_area_state; not of free ranges */
	u32 shrunk; /* tlb_gen when its guard page was unmapped; not after `allocated`: it has been none of its
		     * pages
		     */
	u32 lead;  /* VMAP_LAZY: 1 if the page before it was unmapped with it; a live area's guard page now */
	u32 table; /* pfn of the page table of its first page, which stays as long as the range is not free;
		    * 0: not known
		    */
};

/* So that struct page.area reaches 64 GiB: objects lie at multiples of their size in a page. */
static_assert(sizeof(struct vmap_area) % 16 == 0, "struct vmap_area");

/* A mapping in a block: its first slot's. The others' are left from before, and not VMAP_LIVE. */
struct vmap_block_map {
	u64 frames_sum; /* as vm_struct's */
	const void *caller;
	u32 nr_pages;
	u32 allocated, unmapped; /* tlb_gen at either; unmapped: VMAP_LAZY only */
	u32 state; /* VMAP_LIVE; VMAP_LAZY: unmapped. Who turns one into the other is who unmaps it */
};

/*
 * Where one CPU puts small mappings, one behind the other. Any CPU may unmap them, without a lock. What was
 * unmapped is used again only when all of the block is, after one flush for it.
 */
struct vmap_block {
	struct vmap_area *va;
	void *table;            /* arch_table_make() of the block */
	unsigned long va_start; /* 0: it is none any more. No pointer stands here in a struct vmap_area */
	u32 dirty;              /* slots that will not be used before the flush; atomic */
	u16 used;               /* slots handed out, from the first on; by the CPU that has it */
	u16 nr;                 /* mappings in them */
	struct vmap_block_map maps[];
};

#define VMAP_BLOCK_BYTES (sizeof(struct vmap_block) + VMAP_BLOCK_SLOTS * sizeof(struct vmap_block_map))

static_assert(VMAP_BLOCK_BYTES == 2 * PAGE_SIZE, "struct vmap_block");
static_assert(offsetof(struct vmap_block, va_start) == offsetof(struct vmap_area, rb_node),
	      "struct vmap_block");

/* Ranges of up to so many pages, without the guard, are kept for reuse. */
#define VMAP_CACHED_PAGES 32

struct vmap_cached {
	struct vmap_area *first;
	u32 nr;
};

/*
 * What a CPU has unmapped. It alone adds to it; who purges for all CPUs takes it away, so that even its own
 * CPU needs the lock.
 */
struct vmap_lazy {
	struct spinlock lock;
	struct vmap_area *purge_list, *purge_last; /* wait for a flush */
	struct vmap_area *flushed_list;            /* flushed, and not yet given back */
	u32 areas, pages;                          /* of purge_list */
	/* Freed by vfree_atomic(): added without the lock, from interrupts too; taken away only under it. */
	struct vmap_area *deferred;
};

/* ---- translation lookaside buffer ---- */

/*
 * A flush that has completed on a CPU. tlb_gen counts up at every unmapping of a range and at every
 * completed flush: it gives the entry its stamp and, without a lock, its place in the log.
 *
 * CPUs unmap while others flush. A flush is sure to cover what was unmapped before it began, so that it says
 * when that was: "unmapped <= begun, stamp <= allocated" is a flush between unmapping and reuse.
 *
 * arch_protect() logs the range that lost a right, with TLB_FLUSH_PROTECT.
 * arch_unmap() logs the range it unmapped too, with TLB_FLUSH_UNMAP in cpu: the host must know which flush
 * has to cover what, and ranges that were merged since, or a page.vaddr that was overwritten, no longer tell.
 * arch_map_huge() logs each table that it takes away, with TLB_FLUSH_TABLE.
 */
struct tlb_flush {
	u32 stamp; /* written last: tells the entry from what was in its place before */
	u32 cpu;   /* with one of TLB_FLUSH_EVENT: not a flush (kvmap/claims.h) */
	u32 begun; /* tlb_gen when the flush began; 0 of what is no flush */
	u32 unused;
	u64 start;
	u64 end; /* exclusive; a full flush is 0 .. ~0 */
};

/*
 * A ring: the entry of stamp s is at s % TLB_FLUSH_LOG; the newest is tlb_gen's. Half of it is new when the
 * host is told to take it (KVMAP_DOORBELL_FLUSHES); the other half is for what is logged until it has.
 */
#define TLB_FLUSH_LOG      2048
#define TLB_FLUSH_LOG_HALF (TLB_FLUSH_LOG / 2)

/* Rounds of flushes over several CPUs. */
struct tlb_stats {
	u64 rounds;
	u64 ipis;         /* CPUs interrupted for them */
	u64 idle_skipped; /* idle CPUs that were not interrupted */
};

/* ---- accounting ---- */

/* Event counters since boot. */
struct vmalloc_stats {
	u64 allocations;
	u64 frees;
	u64 refused;
	u64 pages_mapped;
	u64 pages_unmapped;
	u64 purges;
	u64 areas_purged;
	u64 pages_purged;
	u64 flush_full;  /* CR3 or CR4.PGE flushes */
	u64 flush_range; /* flushes done page by page */
	u64 flush_pages; /* INVLPGs in them */
};

/* ---- CPUs ---- */

#define NR_CPUS 64

/* Single frames that a CPU keeps, chained through struct page.next; PAGE_PCP. Not counted as free. */
struct per_cpu_pages {
	u32 first; /* pfn, 0 = none */
	u32 nr;
};

/*
 * What one CPU has for itself. It uses it without a lock, and no other CPU touches it but for lazy. Counters
 * wrap: only the sums over all CPUs mean something.
 */
struct cpu_cache {
	struct kmem_list objects[KMEM_CACHES_MAX];             /* free objects, by number of their cache */
	struct per_cpu_pages pcp, pcp_zero;                    /* pcp_zero: their contents are zero */
	u32 vmalloc_status, page_alloc_status, kmalloc_status; /* of its last request: enum kvmap_status */
	u32 numa_node;                                         /* that the CPU belongs to */
	u32 in_interrupt; /* interrupts that it handles, one in the other: see interrupt.h */
	/*
	 * Of up to so many bytes, kmalloc() looks into the CPU's list and asks nothing else. 0 again with
	 * each interrupt; set where nothing is to be asked.
	 */
	unsigned long kmalloc_quick;
	struct vmap_cached cached[VMAP_CACHED_PAGES + 1]; /* by pages */
	struct vmap_block *vmap_block;                    /* that it maps in, or NULL */
	struct vmap_cached cached_blocks;                 /* empty vmap blocks */
	u32 vmap_block_unmapped;                          /* tlb_gen at its last unmapping in a block */
	struct vmap_lazy lazy;
	u64 vm_stat[NR_VM_STAT_ITEMS];
	u64 buddy_blocks_sum; /* BUDDY_BLOCK_WEIGHT(order, pfn) of each PAGE_KMALLOC block handed out, less those taken
			 * back
			 */
	struct vmalloc_stats stats;
} __attribute__((aligned(64)));

#endif
