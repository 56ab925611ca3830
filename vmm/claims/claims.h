/* SPDX-License-Identifier: MIT */
/*
 * claims.h: what the guest's own structures say, read once, with every pointer checked.
 *
 * Reading never fails because the guest is damaged: a list that runs in a circle, a pointer out of RAM, a
 * count that cannot be, becomes a claim_damage, which the verifier turns into a finding, and what could be
 * read stays. The structures are those of guest/mm/mm_types.h, found by symbol and DWARF.
 */
#ifndef VMM_CLAIMS_CLAIMS_H
#define VMM_CLAIMS_CLAIMS_H

#include "program/symbols.h"
#include "paging/walk.h"
#include "kvmap/boot.h"
#include "kvmap/claims.h"

enum area_state { AREA_LIVE, AREA_LAZY };

struct claim_area {
	enum area_state state;
	bool deferred; /* AREA_LIVE: freed by vfree_atomic(), and still mapped with all its frames */
	uint64_t va_start, va_end; /* of the vmap_area; guard included */
	uint64_t node;             /* GVA of the vmap_area */
	uint64_t addr, size;       /* of the vm_struct; size with guard */
	uint64_t requested_size;
	uint64_t flags;
	uint64_t caller;
	uint64_t frames_sum; /* VM_MAP: of FRAMES_SUM(); it has no frames of its own */
	uint32_t nr_pages;   /* as claimed */
	size_t first_frame;  /* index into claims.frames of the chain as read */
	size_t frame_count;  /* as read: not nr_pages if the chain is damaged; one more if it is too long */
	uint32_t unmapped, handed;
};

/* A node of a vmap_area tree, in the order of an in-order walk. */
struct claim_node {
	uint64_t node; /* GVA of the vmap_area */
	uint64_t va_start, va_end;
	uint64_t subtree_max_size;    /* free tree only */
	uint64_t parent, left, right; /* GVAs of vmap_areas, 0 = none */
	bool black;
};

/* A struct page that is not all zero. */
struct claim_page {
	uint64_t pfn;
	uint8_t owner; /* enum page_owner of mm_types.h */
	uint8_t order;
	uint16_t cache;
	uint32_t next, prev, unmapped, handed;
	uint64_t vaddr;
};

/* A free block on a free list. */
struct claim_free_block {
	uint64_t pfn;
	uint32_t order;
	uint32_t zone;
};

/* Pfns in order and cut to RAM, with a damage where that changed one. */
struct claim_zone {
	uint64_t start_pfn, end_pfn, fresh_start, fresh_end;
	uint64_t free_pages;
	uint64_t nr_free[16]; /* by order */
	uint32_t orders;
	uint32_t kind; /* enum zone_type */
	uint32_t node;
};

/* Whole pages that do not wrap; what is not is a damage. */
struct claim_region {
	uint64_t base, size;
	uint32_t kind; /* enum memblock_kind */
};

struct claim_flush {
	uint32_t stamp, cpu; /* cpu: with one of TLB_FLUSH_EVENT of kvmap/claims.h, not a flush */
	uint32_t begun; /* clock when the flush began, less than stamp: it covers what was unmapped by then */
	uint64_t start, end;
};

struct claim_cache {
	char name[32];  /* escaped */
	uint32_t index; /* its number in the guest */
	uint32_t object_size, nr_slabs;
	uint32_t order;                  /* of a slab */
	size_t first_frame, frame_count; /* its slabs' first frames, in claims.frames */
	uint64_t free_objects;           /* in all its lists, as read */
	uint64_t free_claimed;           /* as the lists say */
};

/* Objects in its slabs, free or not. */
uint64_t claim_cache_objects(const struct claim_cache *cache);

struct claim_variable {
	uint64_t address, size, filled, fill_seed, write_address, write_value;
	uint32_t state, contents; /* enums of guest/agent/variables.h */
};

/* Where the guest's structures contradict themselves so that they could not be read on. */
struct claim_damage {
	const char *invariant; /* "V8" ... the one that the structure serves */
	uint64_t address;      /* GVA of the damaged thing */
	uint64_t value;        /* what stands there */
	char what[96];         /* "vmap_area_root: node outside RAM" */
};

/* Indices of claims.stats: the members of struct vmalloc_stats, in its order. */
enum claim_stat {
	STAT_ALLOCATIONS,
	STAT_FREES,
	STAT_REFUSED,
	STAT_PAGES_MAPPED,
	STAT_PAGES_UNMAPPED,
	STAT_PURGES,
	STAT_AREAS_PURGED,
	STAT_PAGES_PURGED,
	STAT_FLUSH_FULL,
	STAT_FLUSH_RANGE,
	STAT_FLUSH_PAGES,
	STATS,
};

struct claims {
	struct {
		struct claim_area *items;
		size_t count, capacity;
	} areas; /* live ones by address, then lazy ones */
	struct {
		uint32_t *items;
		size_t count, capacity;
	} frames; /* pfns of all chains */
	struct {
		struct claim_node *items;
		size_t count, capacity;
	} busy_nodes, free_nodes;
	struct {
		struct claim_kept {
			uint64_t va_start, va_end;
		} * items;
		size_t count, capacity;
	} kept; /* ranges of the busy tree that are nobody's: empty, flushed, for the next area of their size
		 */
	struct {
		uint64_t *items;
		size_t count, capacity;
	} deferred; /* GVAs of the vmap_areas on the CPUs' lists of those that wait to be freed */
	uint64_t busy_root, free_root; /* GVA of the root vmap_area, 0 = empty */
	struct {
		struct claim_page *items;
		size_t count, capacity;
	} pages; /* by pfn */
	struct {
		struct claim_free_block *items;
		size_t count, capacity;
	} free_blocks;
	struct {
		size_t first_frame, frame_count;
	} held, pcp; /* pcp: what the CPUs keep, all of their chains */
	struct claim_zone zones[32];
	uint32_t zone_count;
	uint32_t node_count; /* 1 to KVMAP_NODES_MAX */
	struct claim_region memory[16], reserved[16];
	uint32_t memory_count, reserved_count;
	struct claim_cache caches[32];
	uint32_t cache_count;
	struct {
		struct claim_flush *items;
		size_t count, capacity;
	} flushes;                          /* oldest first; all that there was from the first of them on */
	uint64_t flush_count;               /* ever; more than flushes.count if some are not there any more */
	uint32_t cpu_count;                 /* 1 to VIEW_CPUS_MAX */
	uint32_t cpu_states[VIEW_CPUS_MAX]; /* enum cpu_state */
	uint64_t tlb_rounds, tlb_ipis, tlb_spared;
	struct {
		struct claim_variable *items;
		size_t count, capacity;
	} variables;
	struct {
		struct claim_damage *items;
		size_t count, capacity;
	} damages;
	uint64_t max_pfn;                   /* as claimed, cut to RAM */
	uint64_t vm_stat[NR_VM_STAT_ITEMS]; /* enum vm_stat_item; of all CPUs together, as stats is */
	uint64_t blocks_sum; /* of BLOCK_WEIGHT(order, pfn) of all blocks that alloc_pages() has handed out */
	uint64_t stats[STATS]; /* struct vmalloc_stats, in its order */
	uint32_t policy, tlb_clock;
	uint32_t inside[VIEW_CPUS_MAX]; /* by CPU: agent_inside of the guest */
};

/*
 * What the ring of flushes held at earlier looks at the same guest; all zero at first, and freed with
 * flush_log_destroy(). Without a gap: where the guest went round the ring in between, what is older is gone.
 */
struct flush_log {
	struct claim_flush *items;
	size_t count, capacity;
	uint32_t last; /* stamp of the newest entry that was taken; 0: none yet */
};

/* At most so many are kept; then the older half is dropped. 8 MiB. */
#define FLUSH_LOG_MAX (1u << 18)

/* Where everything is in this guest's structures; made once per guest file. */
struct claims_layout;
int claims_layout_open(const struct symbols *symbols, struct claims_layout **out, struct error *error);
void claims_layout_close(struct claims_layout *layout);

/*
 * Reads it all. Time and memory are bounded by the guest's RAM whatever stands in it: no more frames in all
 * chains than twice what RAM has, no more areas and nodes than would fit into it, 256 damages. -1 only when
 * memory is out or nothing can be read at all (no mapping of the image).
 */
int claims_read(const struct view *view, const struct walk_mode *mode, const struct claims_layout *layout,
		struct claims *out, struct error *error);
/* The same; out->flushes begins with what the log has, as far as nothing is missing behind it. */
int claims_read_logged(const struct view *view, const struct walk_mode *mode,
		       const struct claims_layout *layout, const struct flush_log *log, struct claims *out,
		       struct error *error);
/* Takes what is new in the ring into the log. Nothing where it cannot be read; -1 only when memory is out. */
int claims_take_flushes(const struct view *view, const struct walk_mode *mode,
			const struct claims_layout *layout, struct flush_log *log, struct error *error);
void flush_log_destroy(struct flush_log *log);
/* The same of `areas` alone, and of those not the frames (frame_count is 0): what names a range of addresses.
 */
int claims_read_areas(const struct view *view, const struct walk_mode *mode,
		      const struct claims_layout *layout, struct claims *out, struct error *error);
void claims_destroy(struct claims *claims);

/*
 * Where live areas begin, sorted: there a map is cut, so that neighbouring areas stay apart. To be freed;
 * NULL when memory is out (*count_out is then 0). claims may be NULL: no areas.
 */
uint64_t *claims_area_starts(const struct claims *claims, size_t *count_out);

/* Pages of the area by node, of frames of its own. */
void claims_area_nodes(const struct claims *claims, const struct claim_area *area,
		       uint32_t pages_out[KVMAP_NODES_MAX]);

/*
 * The first CPU that says that it is in the middle of an operation of the script, so that what the claims and
 * the tables say may be half done, and its line, or KVMAP_INSIDE_BOOT. False: none is.
 */
bool claims_inside(const struct claims *claims, unsigned int *cpu_out, uint32_t *line_out);

/* The area (live or lazy) whose range holds gva, guard included; NULL if none. */
const struct claim_area *claims_area_at(const struct claims *claims, uint64_t gva);

#endif
