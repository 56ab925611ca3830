/* SPDX-License-Identifier: MIT */
/*
 * damage.h: all damages of a guest, whole: invariant, address of the structure, value that it holds, text; and a guest that
 * tests damage.
 */
#ifndef TESTS_UNIT_CLAIMS_DAMAGE_H
#define TESTS_UNIT_CLAIMS_DAMAGE_H

#include "world.h"

/* The guest, and its claims as read last. */
extern struct world world;
extern struct claims claims;

/* The undamaged guest, before a test; its end. */
void damage_begin(void);
void damage_end(void);

/* Reads the claims again. */
void read_again(void);

/* Reads again: there is no damage; this is the only one. */
void expect_no_damage(void);
void expect_only(const char *invariant, uint64_t address, uint64_t value, const char *what);

struct expected_damage {
	const char *invariant;
	uint64_t address, value;
	const char *what;
};

/* The claims have these damages, in this order, and no others. */
#define EXPECT_DAMAGES(claims, ...)                                                                          \
	expect_damages((claims), (const struct expected_damage[]){ __VA_ARGS__ },                            \
		       sizeof((const struct expected_damage[]){ __VA_ARGS__ }) /                             \
			       sizeof(struct expected_damage))
void expect_damages(const struct claims *read, const struct expected_damage *expected, size_t count);

/* The first `count` damages. */
void expect_first_damages(const struct claims *read, const struct expected_damage *expected, size_t count);

/* Addresses. */
#define ROOT(name)       world_symbol(&world, name)
#define CPU(cpu)         (ROOT("cpu_caches") + (cpu) * sizeof(struct cpu_cache))
#define LAZY(cpu)        (CPU(cpu) + offsetof(struct cpu_cache, lazy))
#define FLUSH(slot)      (ROOT("tlb_flush_log") + (slot) * sizeof(struct tlb_flush))
#define VARIABLE(i)      (ROOT("agent_variables") + (i) * sizeof(struct agent_variable))
#define RANGE(range)     world_range_gva(RANGE_##range)
#define CACHE(index)     world_cache_gva(&world, index)
#define DIRECT(gpa)      (KVMAP_DIRECT_BASE + (gpa))
#define VM(range)        (DIRECT(WORLD_VMS) + (range) * sizeof(struct vm_struct))
#define STRUCT_PAGE(pfn) (DIRECT(WORLD_MEM_MAP) + (pfn) * sizeof(struct page))
#define BLOCK            DIRECT(WORLD_VMAP_BLOCK)
#define BLOCK_MAP(slot)  (BLOCK + sizeof(struct vmap_block) + (uint64_t)(slot) * sizeof(struct vmap_block_map))

/* The first address after RAM in the direct map. */
#define NOWHERE DIRECT(WORLD_SIZE)

/* The damages of all chains and free lists of the guest, none of whose frames can be read. */
#define NO_FREE_LISTS                                                                                        \
	{ "V4", ROOT("zones"), 0x701,                                                                        \
	  "zones[0].free_area[0]: list points beyond RAM, or has more frames than RAM" },                    \
	{                                                                                                    \
		"V4", ROOT("zones"), 0x708,                                                                  \
			"zones[0].free_area[3]: list points beyond RAM, or has more frames than RAM"         \
	}
#define NO_CHAINS(why)                                                                                       \
	{ "V1", VM(RANGE_A), 0x710, "vm_struct.pages: " why },                                               \
		{ "V1", VM(RANGE_B), 0x711, "vm_struct.pages: " why },                                       \
		{ "V1", VM(RANGE_C), 0x730, "vm_struct.pages: " why },                                       \
		{ "V4", ROOT("held_pages"), 0x740, "held_pages: " why },                                     \
		{ "V4", CACHE(1), 0x600, "kmem_cache.partial: " why },                                       \
		{ "V4", CACHE(3), 0x601, "kmem_cache.partial: " why },                                       \
		{ "V1", VM(RANGE_D), 0x750, "vm_struct.pages: " why },                                       \
		{ "V4", CPU(0), 0x760, "cpu_cache.pcp: " why },                                              \
	{                                                                                                    \
		"V4", CPU(2), 0x762, "cpu_cache.pcp: " why                                                   \
	}

#endif
