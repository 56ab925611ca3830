/* SPDX-License-Identifier: MIT */
/*
 * world.h: a guest made by the test: 16 MiB of memory in a memfd, the page tables of a kvmap guest, and an
 * undamaged memory manager, written with the guest's own structures.
 */
#ifndef TESTS_UNIT_CLAIMS_WORLD_H
#define TESTS_UNIT_CLAIMS_WORLD_H

#include "agent/variables.h"
#include "claims/claims.h"
#include "kvmap/layout.h"
#include "mm/mm_types.h"

#define WORLD_SIZE       (16ull << 20)
#define WORLD_FRAMES     (WORLD_SIZE >> PAGE_SHIFT)
#define WORLD_TABLES     0x100000ull /* GPA of the page tables; the first is the root */
#define WORLD_MEM_MAP    0x400000ull
#define WORLD_VMAP_AREAS 0x600000ull /* slab of vmap_areas */
#define WORLD_VMS        0x601000ull /* slab of vm_structs */
#define WORLD_NAMES      0x602000ull
#define WORLD_SLAB_END   0x603000ull
#define WORLD_VMAP_BLOCK 0xd00000ull /* a vmap_block */

/* vmap_areas: A < B < C busy, B is the root; D lazily freed; E (root) < F free. */
enum world_range { RANGE_A, RANGE_B, RANGE_C, RANGE_D, RANGE_E, RANGE_F, RANGE_COUNT };

/* Bytes of an area with its guard. */
#define WORLD_AREA_SIZE(pages) ((pages)*PAGE_SIZE + KVMAP_GUARD_SIZE)

/* Where the ranges start. By address: A of 2 pages, B of 1 page, E, D of 2 pages, C of 3 pages, F. */
#define WORLD_A KVMAP_VMALLOC_START
#define WORLD_B (WORLD_A + WORLD_AREA_SIZE(2))
#define WORLD_E (WORLD_B + WORLD_AREA_SIZE(1))
#define WORLD_D (WORLD_E + 3 * PAGE_SIZE)
#define WORLD_C (WORLD_D + WORLD_AREA_SIZE(2) + 5 * PAGE_SIZE)
#define WORLD_F (WORLD_C + WORLD_AREA_SIZE(3) + 12 * PAGE_SIZE)

/* The first slots of the mappings of 4 pages, 1 page and 2 pages in the vmap block, and the first unused slot. */
#define WORLD_SLOT_OF_4 0
#define WORLD_SLOT_OF_1 VMAP_SLOTS(4)
#define WORLD_SLOT_OF_2 (WORLD_SLOT_OF_1 + VMAP_SLOTS(1))
#define WORLD_SLOTS     (WORLD_SLOT_OF_2 + VMAP_SLOTS(2))

/* Address of a slot of the vmap block in range A. */
#define WORLD_SLOT(slot) (WORLD_A + (slot)*2 * PAGE_SIZE)

struct world {
	struct view view;
	struct walk_mode mode;
	uint8_t *memory;
	uint64_t tables_end; /* GPA */
	struct symbols *symbols;
	struct claims_layout *layout;
};

const char *world_program(void); /* path of the ELF file with DWARF 5 */

void world_create(struct world *world);
void world_destroy(struct world *world);

/* claims_read, which must succeed. */
void world_read(struct world *world, struct claims *claims);

/* Host pointer to a GVA of the image or the direct map. */
void *world_at(struct world *world, uint64_t gva);
uint64_t world_symbol(struct world *world, const char *name);
#define world_root(world, name, type) ((type *)world_at(world, world_symbol(world, name)))

/* The guest's pointer to a GPA. */
static inline void *world_va(uint64_t gpa)
{
	return (void *)(KVMAP_DIRECT_BASE + gpa);
}

struct cpu_cache *world_cpu(struct world *world, unsigned int cpu);
struct page *world_page(struct world *world, uint32_t pfn);
struct vmap_area *world_range(struct world *world, enum world_range range);
uint64_t world_range_gva(enum world_range range);
/* Makes a busy range a vmap block with three mappings, of 4, 1 and 2 pages; the second is lazily freed. */
struct vmap_block *world_vmap_block(struct world *world, enum world_range range);
struct vm_struct *world_vm(struct world *world, enum world_range range);

/* The caches: 1 (vmap_area) and 3 (vm_struct); there is no cache 2. */
struct kmem_cache *world_cache(struct world *world, unsigned int index);
uint64_t world_cache_gva(struct world *world, unsigned int index);

/* The page-table entry of level 1 or 2 that translates gva. */
uint64_t *world_pte(struct world *world, uint64_t gva, unsigned int level);

/* The first damage of the invariant whose text contains `what`, or NULL. */
const struct claim_damage *damage_with(const struct claims *claims, const char *invariant, const char *what);
/* Fails the test if there is no such damage. */
void expect_damage(const struct claims *claims, const char *invariant, const char *what);

#endif
