/* SPDX-License-Identifier: MIT */
/*
 * world.h: a guest made in the test: the segments of program.c loaded where they belong, with page tables.
 */
#ifndef TESTS_UNIT_PROGRAM_WORLD_H
#define TESTS_UNIT_PROGRAM_WORLD_H

#include "program/symbols.h"
#include "paging/walk.h"

#define WORLD_IMAGE  0xffffffff80000000ull /* GVA of GPA 0; mapped are 2M from WORLD_START */
#define WORLD_START  0xffffffff80200000ull
#define WORLD_STACK  0xffffffff803f0000ull /* a free 64K in it */
#define WORLD_END    0xffffffff80400000ull /* nothing is mapped from here */
#define WORLD_TABLES 0x100000ull

struct world {
	struct view view;
	struct walk_mode mode;
	uint8_t *memory;
	struct symbols *symbols;
};

/* `program`: the environment variable that names it. */
void world_create(struct world *world, const char *program);
void world_destroy(struct world *world);

/* Host pointer to a GVA. */
void *world_at(struct world *world, uint64_t gva);
uint64_t world_symbol(struct world *world, const char *name);

/* Unmaps, or maps again, the page of a GVA. */
void world_map(struct world *world, uint64_t gva, bool mapped);

#endif
