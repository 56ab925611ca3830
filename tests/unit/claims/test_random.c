/* SPDX-License-Identifier: MIT */
/* Random damage to all that is read, page tables included, from fixed seeds, under the sanitizers. */
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

#define ROUNDS        4000
#define MUTATIONS_MAX 12

static struct world world;

struct mutation {
	uint64_t gpa;
	uint64_t old;
};

static uint64_t random_next(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15;
	return KVMAP_MIX2(KVMAP_MIX1(*state));
}

/* A GPA that claims_read reads, 8-byte aligned. */
static uint64_t random_place(uint64_t *state)
{
	uint64_t bss = world_symbol(&world, "__bss_start") - KVMAP_IMAGE_BASE;
	uint64_t bss_size = world_symbol(&world, "_end") - KVMAP_IMAGE_BASE - bss;
	uint64_t at = random_next(state);

	switch (random_next(state) % 8) {
	case 0: return WORLD_TABLES + at % (world.tables_end - WORLD_TABLES) / 8 * 8;
	case 1:
	case 2: return WORLD_VMAP_AREAS + at % (RANGE_COUNT * sizeof(struct vmap_area)) / 8 * 8;
	case 3: return WORLD_VMS + at % ((RANGE_D + 1) * sizeof(struct vm_struct)) / 8 * 8;
	case 4:
	case 5:
		return WORLD_MEM_MAP +
		       (0x700 * sizeof(struct page) + at % (0x60 * sizeof(struct page))) / 8 * 8;
	case 6: return (bss + at % bss_size) / 8 * 8;
	default:
		return (world_symbol(&world, "vmap_area_cache") - KVMAP_IMAGE_BASE) / 8 * 8 +
		       at % 0x300 / 8 * 8;
	}
}

static uint64_t random_value(uint64_t *state, uint64_t old)
{
	uint64_t random = random_next(state), other;

	switch (random_next(state) % 10) {
	case 0: return random;
	case 1: return ~0ull;
	case 2: return 0;
	case 3: return old ^ (1ull << (random % 64));
	case 4: return random % 5000;
	case 5: return (old & 0xffffffff00000000) | (random % 5000);
	case 6: return (old & 0xffffffff) | random % 5000 << 32;
	case 7: return world_range_gva((enum world_range)(random % RANGE_COUNT)) + random / 64 % 2 * 16;
	case 8: return KVMAP_DIRECT_BASE + random % (WORLD_SIZE + 0x1000) / 8 * 8;
	default: memcpy(&other, world.memory + random_place(state), sizeof(other)); return other;
	}
}

static void check_bounds(const struct claims *claims, uint64_t seed)
{
	uint64_t frames = claims->max_pfn;
	size_t nodes = WORLD_SIZE / sizeof(struct vmap_area) + 64;

	cr_assert_leq(frames, WORLD_FRAMES, "seed %lu", seed);
	cr_assert_leq(claims->damages.count, 256, "seed %lu", seed);
	cr_assert_leq(claims->frames.count, 2 * frames, "seed %lu", seed);
	cr_assert_leq(claims->pages.count, frames, "seed %lu", seed);
	cr_assert_leq(claims->free_buddy_blocks.count, frames, "seed %lu", seed);
	cr_assert_leq(claims->areas.count, nodes, "seed %lu", seed);
	cr_assert_leq(claims->busy_tree.count + claims->free_tree.count, nodes, "seed %lu", seed);
	for (size_t i = 0; i < claims->frames.count; i++)
		cr_assert_lt(claims->frames.items[i], frames, "seed %lu", seed);
	for (size_t i = 0; i < claims->areas.count; i++)
		cr_assert(claims->areas.items[i].first_frame <= claims->frames.count &&
				  claims->areas.items[i].frame_count <=
					  claims->frames.count - claims->areas.items[i].first_frame,
			  "seed %lu", seed);
	for (uint32_t i = 0; i < claims->zone_count; i++)
		cr_assert_leq(claims->zones[i].end_pfn, frames, "seed %lu", seed);
}

static bool round_run(uint64_t seed)
{
	struct mutation mutations[MUTATIONS_MAX];
	uint64_t state = seed, value;
	unsigned int count = 1 + (unsigned int)(random_next(&state) % MUTATIONS_MAX);
	struct claims claims = { 0 };
	struct error error;
	bool read;

	for (unsigned int i = 0; i < count; i++) {
		mutations[i].gpa = random_place(&state);
		memcpy(&mutations[i].old, world.memory + mutations[i].gpa, 8);
		value = random_value(&state, mutations[i].old);
		memcpy(world.memory + mutations[i].gpa, &value, 8);
	}
	read = claims_read(&world.view, &world.mode, world.layout, &claims, &error) == 0;
	if (read) {
		check_bounds(&claims, seed);
		for (uint64_t page = 0; page < 0x20; page++)
			claims_area_at(&claims, KVMAP_VMALLOC_START + page * PAGE_SIZE);
	}
	claims_destroy(&claims);
	while (count--)
		memcpy(world.memory + mutations[count].gpa, &mutations[count].old, 8);
	return read;
}

Test(random, damage_from_fixed_seeds_is_bounded_and_never_crashes)
{
	struct claims claims;
	unsigned int read = 0;

	world_create(&world);
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		read += round_run(seed);
	cr_expect_gt(read, ROUNDS / 2, "most damage leaves something to read");
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0, "the test puts everything back");
	claims_destroy(&claims);
	world_destroy(&world);
}
