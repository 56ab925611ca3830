/* SPDX-License-Identifier: MIT */
/*
 * claims.h: the guest's own structures, read once, with every pointer checked.
 *
 * Damage in the guest is not an error of the reader: a list with a cycle, a pointer outside RAM or an
 * impossible count becomes a claim_damage, which the verifier reports as a finding. The elements read before
 * it are kept. The structures are those of guest/mm/mm_types.h, found by symbol and DWARF.
 */
#ifndef VMM_CLAIMS_CLAIMS_H
#define VMM_CLAIMS_CLAIMS_H

#include "base/array.h"
#include "program/symbols.h"
#include "paging/walk.h"
#include "kvmap/boot.h"
#include "kvmap/bounds.h"
#include "kvmap/claims.h"
#include "kvmap/layout.h"
#include "kvmap/limits.h"
#include "kvmap/statistics.h"

enum area_state {
	AREA_LIVE,
	AREA_LAZY, /* lazily freed: unmapped, waiting for a TLB flush */
};

struct claim_area {
	enum area_state state;
	bool deferred;             /* AREA_LIVE: freed by vfree_atomic(); still mapped, with all its frames */
	uint64_t va_start, va_end; /* of the vmap_area; guard included */
	uint64_t vmap_area;        /* GVA */
	uint64_t addr, size;       /* of the vm_struct; size with the guard */
	uint64_t requested_size;
	uint64_t flags;
	uint32_t gfp; /* of the request */
	uint64_t caller;
	uint64_t frames_sum; /* VM_MAP: sum of FRAMES_SUM(); such an area owns no frames */
	uint32_t nr_pages;   /* as claimed */
	size_t first_frame;  /* index into claims.frames of the chain as read */
	size_t frame_count;  /* as read: less than nr_pages or one more if the chain is damaged */
	uint64_t unmapped;   /* flush generation when it was unmapped; AREA_LIVE: when its range last was */
	uint64_t allocated;  /* flush generation when it was allocated */
};

/* The members of an area that a map needs for every range: an array of these has a fifth of the bytes of the areas. */
struct claim_place {
	uint64_t va_start, va_end;
	uint32_t area; /* index into claims.areas */
	bool live, deferred;
};

/* A node of a tree of vmap_areas, in the order of an in-order walk. */
struct claim_rb_node {
	uint64_t vmap_area; /* GVA */
	uint64_t va_start, va_end;
	uint64_t subtree_max_size;    /* free tree only */
	uint64_t parent, left, right; /* GVAs of vmap_areas, 0 = none */
	uint64_t vm;                  /* GVA of its vm_struct; 0: none, or of the free tree */
	bool black;
};

/* A range of the busy tree that belongs to no area: empty and flushed, kept for the next area of its size. */
struct claim_cached_range {
	uint64_t va_start, va_end;
	uint64_t vmap_area; /* GVA; 0: a part of a vmap block */
};

/* A vmap_area on a CPU's list of cached ranges. */
struct claim_cached_entry {
	uint64_t vmap_area; /* GVA */
	uint32_t pages;     /* of the ranges of that list */
};

enum claim_count_kind {
	COUNT_PCP,
	COUNT_PCP_ZERO,
	COUNT_CACHED,        /* index: pages */
	COUNT_CACHED_BLOCKS, /* empty vmap blocks */
	COUNT_LAZY_AREAS,    /* waiting for a TLB flush */
	COUNT_LAZY_PAGES,
	COUNT_OBJECTS,     /* on a CPU's list; index: into claims.caches */
	COUNT_EMPTY_SLABS, /* of no CPU; index: into claims.caches */
};

/* A number that the guest keeps of one of its lists. */
struct claim_count {
	enum claim_count_kind kind;
	uint32_t cpu, index;
	uint64_t claimed, counted;
	uint64_t bound; /* kvmap/bounds.h */
};

/* A struct page that is not all zero. */
struct claim_page {
	uint64_t pfn;
	uint8_t owner; /* enum page_owner of kvmap/claims.h */
	uint8_t order;
	uint16_t cache;
	uint32_t next;
	uint32_t prev;                /* PAGE_FREE, PAGE_SLAB; else 0 */
	uint64_t vaddr;               /* its last vmalloc address, modulo 16 TiB; 0: none, or PAGE_SLAB */
	uint32_t requested;           /* PAGE_KMALLOC: bytes, 0: all of the block */
	uint64_t unmapped, allocated; /* flush generations */
};

/* A free buddy block, by its zone's free lists. */
struct claim_buddy_block {
	uint64_t pfn;
	uint32_t order;
	uint32_t zone;
};

/* The pfns are in order and within RAM; a value that had to be changed for that is a damage. */
struct claim_zone {
	uint64_t start_pfn, end_pfn, fresh_start, fresh_end;
	uint64_t free_pages;
	uint64_t nr_free[MAX_ORDER + 1]; /* by order */
	uint32_t orders;
	uint32_t kind; /* enum zone_type */
	uint32_t numa_node;
};

/* Whole pages that do not wrap; any other region is a damage and is left out. */
struct claim_region {
	uint64_t base, size;
	uint32_t kind; /* enum memblock_kind */
};

struct claim_flush {
	uint64_t stamp; /* flush generation at its end */
	uint32_t cpu;   /* with one of TLB_FLUSH_EVENT of kvmap/claims.h: an event that is not a flush */
	uint64_t begun; /* flush generation at its start, less than stamp: it covers earlier unmappings */
	uint64_t start, end;
};

struct claim_cache {
	char name[32];  /* escaped */
	uint32_t index; /* in the guest's kmem_caches[] */
	uint32_t object_size, nr_slabs;
	uint32_t order; /* of a slab */
	/* offset from a free object to its link; not 0: slab_debug, the record of its size follows */
	uint32_t link;
	bool slack;                      /* objects record their requested size */
	size_t first_frame, frame_count; /* first frames of its slabs, in claims.frames */
	uint64_t free_objects;           /* in all its lists, as read */
	uint64_t free_claimed;           /* sum of the lists' counters */
	uint64_t free_sum;               /* sum of their addresses */
};

/* Bytes of a slab that have objects. */
uint64_t claim_slab_bytes(const struct claim_cache *cache);

/* Whether it is a class of kmalloc(). */
static inline bool claim_is_kmalloc(const struct claim_cache *cache)
{
	return cache->index <= KMALLOC_CLASSES;
}

/* Objects in its slabs, free or not. */
uint64_t claim_cache_objects(const struct claim_cache *cache);

struct claim_variable {
	char name[KVMAP_VARIABLE_NAME_MAX + 1]; /* letters, digits, _; "": not known */
	uint64_t address, size, filled, fill_seed, write_address, write_value;
	uint64_t zero_start, zero_end;
	uint32_t write_words;     /* from write_address on; write_value is their KVMAP_WRITTEN_SUM() */
	bool slack_written;       /* the recorded size of the object may be the script's */
	uint32_t state, contents; /* enums of kvmap/claims.h */
};

enum debug_write {
	WRITE_FREED,  /* to a free object, or to its record */
	WRITE_BEYOND, /* to the redzone of the slab's second half that is the object's */
	WRITE_RECORD, /* to the record of the requested size */
};

/* With slab_debug: a word of a slab of kmalloc() that was written. */
struct claim_debug_write {
	uint64_t object, address, value, expected;
	uint32_t cache; /* index into claims.caches */
	enum debug_write kind;
};

/* Limit of claims.debug_writes. */
#define DEBUG_WRITES_MAX 256

/* A contradiction in the guest's structures that ended the reading of one of them. */
struct claim_damage {
	const char *invariant; /* "V8" ... the one that the structure serves */
	uint64_t address;      /* GVA of the damaged structure */
	uint64_t value;        /* that it holds */
	char what[96];         /* "vmap_area_root: node outside RAM" */
	bool follows;          /* from a mem_map that cannot be read, which is a damage of its own */
};

/* Structures that could not be read to their end: each has a damage, and what they lack is not known. */
enum claims_part {
	PART_AREAS = 1,        /* live and lazily freed areas */
	PART_FREE_RANGES = 2,  /* the free tree */
	PART_STRUCT_PAGES = 4, /* mem_map */
	PART_OWNERS = 8,       /* RAM, reserved regions, zones, free lists, chains of frames, slabs */
	PART_OBJECTS = 16,     /* lists of free objects */
	PART_DEFERRED = 32,    /* lists of deferred areas */
	PART_CACHED = 64,      /* lists of cached ranges */
};

struct claims {
	unsigned int unread;                 /* enum claims_part */
	ARRAY_OF(struct claim_area) areas;   /* live ones by address, then lazily freed ones */
	ARRAY_OF(struct claim_place) places; /* of all areas, in the same order: claims_set_places() */
	bool places_sorted;                  /* all are live, and starts and ends do not decrease */
	ARRAY_OF(uint32_t) frames;           /* pfns of all chains */
	ARRAY_OF(struct claim_rb_node) busy_tree, free_tree;
	ARRAY_OF(struct claim_cached_range) cached_ranges;
	ARRAY_OF(struct claim_cached_entry) cached_entries;
	ARRAY_OF(struct claim_count) counts; /* those that are not 0 */
	ARRAY_OF(uint64_t) deferred;         /* GVAs of the vmap_areas on the CPUs' lists of deferred frees */
	uint64_t busy_root, free_root;       /* GVA of the root vmap_area, 0 = empty */
	ARRAY_OF(struct claim_page) pages;   /* by pfn */
	ARRAY_OF(struct claim_buddy_block) free_buddy_blocks;
	struct {
		size_t first_frame, frame_count;
	} held, pcp;           /* pcp: the per-CPU lists of all CPUs */
	uint64_t vmap_highest; /* GVA that no range of the busy tree ever ended above */
	uint64_t unpurged; /* ranges and mappings in vmap blocks that were freed and not purged, as counted */
	ARRAY_OF(uint32_t) pcp_zero; /* those of pcp that are claimed zero */
	struct claim_zone zones[KVMAP_ZONES_MAX];
	uint32_t zone_count;
	bool fresh_is_zero;       /* the frames of fresh ranges */
	uint32_t numa_node_count; /* 1 to KVMAP_NODES_MAX */
	struct claim_region memory[KVMAP_MEMBLOCK_REGIONS_MAX], reserved[KVMAP_MEMBLOCK_REGIONS_MAX];
	uint32_t memory_count, reserved_count;
	struct claim_cache caches[KVMAP_KMEM_CACHES_MAX];
	uint32_t cache_count;
	ARRAY_OF(struct claim_debug_write) debug_writes; /* the first of each object and kind */
	uint64_t poisoned_objects;                       /* free objects that were compared with poison */
	uint64_t redzoned_slabs;                         /* whose second halves were compared */
	bool slab_debug;
	ARRAY_OF(struct claim_flush) flushes; /* oldest first, without gaps */
	uint64_t flush_count;                 /* since boot; more than flushes.count if older ones are gone */
	uint32_t cpu_count;                   /* 1 to KVMAP_CPUS_MAX */
	uint32_t cpu_states[KVMAP_CPUS_MAX];  /* enum cpu_state */
	uint64_t tlb_rounds, tlb_ipis, tlb_idle_skipped; /* of TLB shootdowns */
	ARRAY_OF(struct claim_variable) variables;
	ARRAY_OF(struct claim_damage) damages;
	uint64_t max_pfn;                   /* as claimed, at most what RAM has */
	uint64_t vm_stat[NR_VM_STAT_ITEMS]; /* enum vm_stat_item; summed over the CPUs, as stats is */
	uint64_t buddy_blocks_sum;  /* BUDDY_BLOCK_WEIGHT(order, pfn), over all allocated buddy blocks */
	uint64_t kmalloc_sum;       /* of the addresses of all allocated objects of kmalloc() */
	struct vmalloc_stats stats; /* summed over the CPUs */
	uint32_t policy;
	uint64_t flush_generation;
	uint32_t inside[KVMAP_CPUS_MAX]; /* by CPU: agent_inside of the guest */
	uint32_t opcode
		[KVMAP_CPUS_MAX]; /* agent_opcode: of the operation in progress, where inside is not 0 */
};

/*
 * The flushes that the guest's ring held in earlier snapshots of the same guest. Without gaps: older entries
 * are dropped if the ring wrapped between two snapshots. Zero-initialised; freed by flush_log_destroy().
 */
struct flush_log {
	ARRAY_OF(struct claim_flush);
	uint64_t last; /* stamp of the newest entry; 0: none yet */
};

/* Largest number of entries (8 MiB); beyond it the older half is dropped. */
#define FLUSH_LOG_MAX (1u << 18)

/* Addresses and offsets of the structures in one guest file. */
struct claims_layout;
int claims_layout_open(const struct symbols *symbols, struct claims_layout **out, struct error *error);
void claims_layout_close(struct claims_layout *layout);

/*
 * Reads all claims. Time and memory are bounded by the guest's RAM, whatever it contains: at most twice RAM's
 * frames in all chains together, at most the areas and nodes that fit into RAM, 256 damages. -1 only if
 * memory runs out or nothing can be read at all (the image is not mapped).
 */
int claims_read(const struct view *view, const struct walk_mode *mode, const struct claims_layout *layout,
		struct claims *out, struct error *error);
/* The same; out->flushes begins with the log's entries if no entry is missing between log and ring. */
int claims_read_logged(const struct view *view, const struct walk_mode *mode,
		       const struct claims_layout *layout, const struct flush_log *log, struct claims *out,
		       struct error *error);
/* Appends the ring's new entries to the log; none if it cannot be read. -1 only if memory runs out. */
int claims_take_flushes(const struct view *view, const struct walk_mode *mode,
			const struct claims_layout *layout, struct flush_log *log, struct error *error);
void flush_log_destroy(struct flush_log *log);
/* As claims_read, but only `areas` and `variables`, areas without their frames (frame_count is 0): enough to name an address. */
int claims_read_areas(const struct view *view, const struct walk_mode *mode,
		      const struct claims_layout *layout, struct claims *out, struct error *error);
void claims_destroy(struct claims *claims);

/* Sets the places of the areas that there are. 0, or -1 if memory is out. */
int claims_set_places(struct claims *claims);

/* The last variable of that name, `length` bytes; NULL: there is none. claims may be NULL. */
const struct claim_variable *claims_variable(const struct claims *claims, const char *name, size_t length);

/*
 * The name of the variable that holds the area's address: for a live area the last one that is not freed, for
 * any other the last one. NULL: none, or its name is not known. claims may be NULL.
 */
const char *claims_area_variable(const struct claims *claims, const struct claim_area *area);

/*
 * The next live variable, from index *next on, that holds an object or a block of kmalloc with a byte in
 * [gva, gva + size). NULL: none. claims may be NULL.
 */
const struct claim_variable *claims_object_variable(const struct claims *claims, uint64_t gva, uint64_t size,
						    size_t *next);

/*
 * Start addresses of the live areas, sorted: a map is cut there, so that neighbouring areas stay apart. To be
 * freed; NULL if memory runs out (*count_out is then 0). claims may be NULL: no areas.
 */
uint64_t *claims_area_starts(const struct claims *claims, size_t *count_out);

/*
 * The NUMA node of a frame by its zone; KVMAP_NODES_MAX if it is in none. *zone: where to look first, below zone_count;
 * out: the frame's zone.
 */
uint32_t claims_numa_node(const struct claims *claims, uint64_t pfn, uint32_t *zone);

/* How many of the frames each NUMA node has. */
void claims_numa_nodes(const struct claims *claims, const uint32_t *frames, size_t count,
		       uint32_t counts_out[KVMAP_NODES_MAX]);

/*
 * The first CPU that is in the middle of an operation, where claims and tables may disagree, with the
 * operation's line, or KVMAP_INSIDE_BOOT. False: no CPU is.
 */
bool claims_inside(const struct claims *claims, unsigned int *cpu_out, uint32_t *line_out);

/* GVA of the guard, the last KVMAP_GUARD_PAGES pages of the range. */
static inline uint64_t claim_area_guard(const struct claim_area *area)
{
	return area->va_end - KVMAP_GUARD_SIZE;
}

/* Bytes without the guard; 0 for a range that a damaged guest made smaller. */
static inline uint64_t claim_area_bytes(const struct claim_area *area)
{
	uint64_t size = area->va_end - area->va_start;

	return size > KVMAP_GUARD_SIZE ? size - KVMAP_GUARD_SIZE : 0;
}

/* Physically contiguous runs of its frames, in the order of its pages; 0 for no frames. */
uint64_t claims_area_runs(const struct claims *claims, const struct claim_area *area);

/* The area (live or lazily freed) whose range contains gva, guard included; NULL if none. */
const struct claim_area *claims_area_at(const struct claims *claims, uint64_t gva);

#endif
