/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define WORLD_SIZE (4ull << 20)

void *world_at(struct world *world, uint64_t gva)
{
	cr_assert(gva >= WORLD_START && gva < WORLD_END, "test uses GVA 0x%lx", gva);
	return world->memory + (gva - WORLD_IMAGE);
}

uint64_t world_symbol(struct world *world, const char *name)
{
	uint64_t address = 0;

	cr_assert(symbols_find(world->symbols, name, &address, NULL), "no symbol %s", name);
	return address;
}

void world_map(struct world *world, uint64_t gva, bool mapped)
{
	uint64_t *tables = (uint64_t *)(world->memory + WORLD_TABLES);
	uint64_t index = gva >> 12 & 511;

	tables[3 * 512 + index] = mapped ? (0x200000 + (index << 12)) | PTE_P | PTE_W : 0;
}

static void world_fill_tables(struct world *world)
{
	uint64_t *tables = (uint64_t *)(world->memory + WORLD_TABLES);

	tables[511] = (WORLD_TABLES + 0x1000) | PTE_P | PTE_W;
	tables[512 + 510] = (WORLD_TABLES + 0x2000) | PTE_P | PTE_W;
	tables[2 * 512 + 1] = (WORLD_TABLES + 0x3000) | PTE_P | PTE_W;
	for (uint64_t gva = WORLD_START; gva < WORLD_END; gva += 0x1000)
		world_map(world, gva, true);
}

void world_create(struct world *world, const char *program)
{
	struct view_region region = { .size = WORLD_SIZE, .fd = -1 };
	const struct symbols_segment *segments;
	struct error error;
	size_t count;

	*world = (struct world){ 0 };
	world->memory = mmap(NULL, WORLD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(world->memory, MAP_FAILED);
	region.bytes = world->memory;
	world->view.physical_bits = 40;
	world->mode =
		(struct walk_mode){ .root = WORLD_TABLES, .levels = 4, .physical_bits = 40, .nx = true };
	cr_assert_eq(view_add_region(&world->view, &region, &error), 0, "%s", error.text);
	cr_assert_not_null(getenv(program), "%s must name the program", program);
	cr_assert_eq(symbols_open(getenv(program), &world->symbols, &error), 0, "%s", error.text);
	count = symbols_segments(world->symbols, &segments);
	for (size_t i = 0; i < count; i++)
		memcpy(world_at(world, segments[i].gva), segments[i].bytes, segments[i].file_size);
	world_fill_tables(world);
}

void world_destroy(struct world *world)
{
	symbols_close(world->symbols);
	munmap(world->memory, WORLD_SIZE);
	view_clear(&world->view);
}
