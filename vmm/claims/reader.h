/* SPDX-License-Identifier: MIT */
/*
 * reader.h: what the readers of the claims share: checked access to the guest's addresses, the bounds
 * that keep a lying guest from costing unbounded time or memory, and the note of damage.
 *
 * Each structure is copied once and only the copy is looked at, so that a guest that runs cannot change a
 * value between its check and its use.
 */
#ifndef VMM_CLAIMS_READER_H
#define VMM_CLAIMS_READER_H

#include "base/array.h"
#include "claims/layout.h"

/* Translations that were used lately. A tag is the page number + 1, so that 0 is empty. */
#define READER_LARGE 16
#define READER_SMALL 64

struct reader_page {
	uint64_t tag;
	uint64_t gpa;
	const uint8_t *bytes;
};

struct reader {
	const struct view *view;
	const struct walk_mode *mode;
	const struct claims_layout *layout;
	struct claims *out;
	uint64_t mem_map;
	uint64_t frame_limit; /* pfns below it may be: max_pfn, or 0 when mem_map cannot be read */
	uint64_t frames_left; /* chains may still hold so many frames, all together */
	uint64_t nodes_left;  /* trees and lists of vmap_areas may still have so many nodes */
	bool no_frames;       /* what an area is made of is not asked for */
	const struct flush_log
		*log; /* what was in the ring of flushes before; NULL: nothing is known of that */
	bool out_of_memory;
	struct {
		struct claim_area *items;
		size_t count, capacity;
	} unmapped;                             /* in blocks, until all live areas have been read */
	struct reader_page large[READER_LARGE]; /* 2M */
	struct reader_page small[READER_SMALL]; /* 4K */
};

/* Copies what lies at a GVA; false, with out undefined, if not all of it is mapped to guest memory. */
bool reader_copy(struct reader *reader, uint64_t gva, void *out, uint64_t size);

/* As reader_copy, the whole structure; size: at most CLAIM_STRUCTURE_MAX. */
bool reader_structure(struct reader *reader, enum claim_type structure, uint64_t gva, uint8_t *out);

/* The value of a root variable that is a NUMBER; 0 and a damage of `invariant` if it cannot be read. */
uint64_t reader_root(struct reader *reader, enum claim_root root, const char *invariant);

/* Copies a root that is an OBJECT, its first `size` bytes; false and a damage if it cannot be read. */
bool reader_root_copy(struct reader *reader, enum claim_root root, const char *invariant, void *out,
		      uint64_t size);

/* Notes a damage. The list is bounded: its last entry says that more was found. */
void reader_damage(struct reader *reader, const char *invariant, uint64_t address, uint64_t value,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Appends to an array of the claims; false when memory is out. */
#define reader_push(reader, array, item)                                                                     \
	(array_push(array, item) == 0 ? true : ((reader)->out_of_memory = true, false))

/* ---- chains of frames ---- */

#define CHAIN_TO_END UINT64_MAX

struct chain {
	const char *invariant;
	const char *name;    /* of what the chain belongs to, for messages */
	uint64_t address;    /* GVA of that */
	uint64_t first;      /* pfn, 0 = empty */
	uint64_t nr_claimed; /* frames, or CHAIN_TO_END */
	bool blocks;         /* a frame with an order stands for its block, all of which is read */
	size_t first_frame;  /* out: where it is in claims.frames */
	size_t frame_count;  /* out: at most nr_claimed + 1, which says that it is too long */
};

void reader_chain(struct reader *reader, struct chain *chain);

/* Copies the struct page of a pfn below frame_limit. */
bool reader_struct_page(struct reader *reader, uint64_t pfn, uint8_t *out);

/* ---- the parts, in the order in which they are read ---- */

void read_memblock(struct reader *reader);
void read_mem_map(struct reader *reader); /* sets mem_map and frame_limit, which the following need */
void read_zones(struct reader *reader);
void read_busy_tree(struct reader *reader);
void read_free_tree(struct reader *reader);
void read_lazy(struct reader *reader);
void read_held(struct reader *reader);
void read_caches(struct reader *reader);
void read_flushes(struct reader *reader);
void read_cpu_caches(struct reader *reader); /* what the CPUs keep; the caches must have been read */
void read_policy(struct reader *reader);
void read_variables(struct reader *reader);
void read_inside(struct reader *reader);

/* ---- areas ---- */

/* What a vmap_area itself says of a busy or lazy range. */
struct area_node {
	struct claim_area area; /* without the vm_struct's part */
	uint64_t vm;            /* GVA of the vm_struct */
	uint64_t block;         /* GVA of the vmap_block, if it is one */
};

void area_decode(const struct reader *reader, enum area_state state, uint64_t node, const uint8_t *copy,
		 struct area_node *out);

/* Reads its vm_struct and frames too, and adds it to the claims. */
void area_take(struct reader *reader, const struct area_node *node);

/*
 * Reads a VMAP_BLOCK: its live mappings become areas, those that were unmapped go to reader->unmapped, and
 * what was not used is kept.
 */
void block_take(struct reader *reader, const struct area_node *node);

/* ---- what a CPU keeps: `copy` is of its struct cpu_cache, which is at gva ---- */

/* Areas that wait for a flush, or were flushed and not yet given back. */
void cpu_read_lazy(struct reader *reader, uint64_t gva, const uint8_t *copy);
/* Its lists of free objects. */
void cpu_read_objects(struct reader *reader, uint64_t gva, const uint8_t *copy);
/* Its counters, which are added to those read before. */
void cpu_read_accounts(struct reader *reader, const uint8_t *copy);

#endif
