/* SPDX-License-Identifier: MIT */
/*
 * reader.h: shared by the readers of the claims: checked access to guest addresses, bounds on the time and
 * memory that a hostile guest can cost, and the list of damages.
 *
 * A structure is copied once and then only the copy is used, so that a running guest cannot change a value
 * between its check and its use.
 */
#ifndef VMM_CLAIMS_READER_H
#define VMM_CLAIMS_READER_H

#include "base/array.h"
#include "claims/layout.h"

/* Caches of translations, by page number. A tag is the page number + 1, so that 0 is empty. */
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
	uint64_t frame_limit; /* valid pfns are below it: max_pfn, or 0 if mem_map cannot be read */
	uint64_t frames_left; /* limit on the frames that further chains may have, together */
	uint64_t nodes_left;  /* limit on the vmap_areas that further trees and lists may have, together */
	bool no_frames;       /* the frames of areas are not wanted */
	const struct flush_log *log; /* the ring's earlier flushes; NULL: not known */
	bool follows;                /* further damages follow from mem_map's */
	bool out_of_memory;
	ARRAY_OF(struct claim_area)
	unmapped; /* lazily freed mappings of vmap blocks, until all live areas have been read */
	struct reader_page large[READER_LARGE]; /* 2M */
	struct reader_page small[READER_SMALL]; /* 4K */
};

/* Copies `size` bytes at a GVA; false, with out undefined, if not all of them are mapped to guest memory. */
bool reader_copy(struct reader *reader, uint64_t gva, void *out, uint64_t size);

/* All pages of [gva, gva + size) are known to have been never used: they are zeros. */
bool reader_is_unused(struct reader *reader, uint64_t gva, uint64_t size);

/* As reader_copy, the whole structure; size: at most CLAIM_STRUCTURE_MAX. */
bool reader_structure(struct reader *reader, enum claim_type structure, uint64_t gva, uint8_t *out);

/* The value of a root variable that is a NUMBER; 0 and a damage of `invariant` if it cannot be read. */
uint64_t reader_root(struct reader *reader, enum claim_root root, const char *invariant);

/* Copies a root that is an OBJECT, its first `size` bytes; false and a damage if it cannot be read. */
bool reader_root_copy(struct reader *reader, enum claim_root root, const char *invariant, void *out,
		      uint64_t size);

/* Adds a damage. The list is bounded: its last entry says that there were more. */
void reader_damage(struct reader *reader, const char *invariant, uint64_t address, uint64_t value,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same, of a structure that ends there: the rest of these parts (enum claims_part) is not read. */
#define reader_cut(reader, parts, ...) ((reader)->out->unread |= (parts), reader_damage(reader, __VA_ARGS__))

/* Appends to an array of the claims; false when memory is out. */
#define reader_push(reader, array, item)                                                                     \
	(array_push(array, item) == 0 ? true : ((reader)->out_of_memory = true, false))

/* A list of frames that ends because the struct page of `pfn` cannot be read, as reader_cut. */
#define reader_cut_frames(reader, pfn, ...)                                                                  \
	((reader)->follows = reader_lacks_pages(reader, pfn), reader_cut(reader, PART_OWNERS, __VA_ARGS__),  \
	 (reader)->follows = false)

/* mem_map has no struct page of `pfn` that can be read, and that is a damage already. */
bool reader_lacks_pages(struct reader *reader, uint64_t pfn);

/* ---- chains of frames ---- */

#define CHAIN_TO_END UINT64_MAX

struct chain {
	const char *invariant;
	const char *name;    /* of the structure that has the chain, for messages */
	uint64_t address;    /* GVA of that structure */
	uint64_t first;      /* pfn, 0 = empty */
	uint64_t nr_claimed; /* frames, or CHAIN_TO_END */
	bool buddy_blocks;   /* a frame with an order is the head of a buddy block; all its frames are read */
	size_t first_frame;  /* out: index into claims.frames */
	size_t frame_count;  /* out: at most nr_claimed + 1: too long */
};

void reader_chain(struct reader *reader, struct chain *chain);

/* Copies the struct page of a pfn below frame_limit. */
bool reader_struct_page(struct reader *reader, uint64_t pfn, uint8_t *out);

/* Adds a number of a list to the claims, unless there is nothing to compare. */
void reader_count(struct reader *reader, const struct claim_count *count);

/* The number of the CPU whose struct cpu_cache is at gva. */
uint32_t reader_cpu(const struct reader *reader, uint64_t gva);

/* ---- the readers, in the order of their calls ---- */

void read_memblock(struct reader *reader);
void read_mem_map(struct reader *reader); /* sets mem_map and frame_limit for those below */
void read_zones(struct reader *reader);
void read_busy_tree(struct reader *reader);
void read_free_tree(struct reader *reader);
void read_lazy(struct reader *reader);
void read_held(struct reader *reader);
void read_caches(struct reader *reader);
void read_flushes(struct reader *reader);
void read_cpu_caches(struct reader *reader); /* after read_caches */
void read_policy(struct reader *reader);
void read_variables(struct reader *reader);
void read_inside(struct reader *reader);

/* ---- areas ---- */

/* The fields of a vmap_area that is busy or lazily freed. */
struct vmap_area_fields {
	struct claim_area area; /* without those of the vm_struct */
	uint64_t vm;            /* GVA of the vm_struct */
	uint64_t vmap_block;    /* GVA; VMAP_BLOCK only */
};

void area_decode(const struct reader *reader, enum area_state state, uint64_t vmap_area, const uint8_t *copy,
		 struct vmap_area_fields *out);

/* Reads the vm_struct and frames too, and adds the area to the claims. */
void area_take(struct reader *reader, const struct vmap_area_fields *fields);

/*
 * Reads a VMAP_BLOCK: its live mappings become areas, lazily freed ones go to reader->unmapped, and the rest
 * becomes cached ranges.
 */
void vmap_block_take(struct reader *reader, const struct vmap_area_fields *fields);

/* ---- of one CPU: `copy` is its struct cpu_cache at gva ---- */

/* Its lists of lazily freed, flushed and deferred areas. */
void cpu_read_lazy(struct reader *reader, uint64_t gva, const uint8_t *copy);
/* Its cached ranges and vmap blocks. */
void cpu_read_cached(struct reader *reader, uint64_t gva, const uint8_t *copy);
/* Its lists of free objects. */
void cpu_read_objects(struct reader *reader, uint64_t gva, const uint8_t *copy);
/* Adds its counters to those of the CPUs before it. */
void cpu_read_counters(struct reader *reader, const uint8_t *copy);

#endif
