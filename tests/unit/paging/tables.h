/* SPDX-License-Identifier: MIT */
/*
 * tables.h: page tables made in a test.
 *
 * RAM is [0, 4M) and [16M, 20M); between them and above there is nothing. Tables are taken from the low end
 * of RAM upwards; frames are just numbers.
 */
#ifndef TESTS_UNIT_INSPECT_TABLES_H
#define TESTS_UNIT_INSPECT_TABLES_H

#include "paging/walk.h"

#define K4 0x1000ull
#define M2 0x200000ull
#define G1 0x40000000ull

#define RAM_LOW_END    (4ull << 20)
#define RAM_HIGH_START (16ull << 20)
#define RAM_HIGH_END   (20ull << 20)

#define VMALLOC 0xffffc90000000000ull

#define TABLES_CPUS 3

struct tables {
	struct view view; /* without CPUs, and with room for TABLES_CPUS of them, whose registers are zero */
	struct walk_mode mode;
	uint8_t *low, *high;
	uint64_t next; /* GPA of the next table */
};

/* physical_bits 46, NX and 1G pages on, an empty top table. */
void tables_init(struct tables *tables, unsigned int levels);
void tables_destroy(struct tables *tables);

/* GPA of a new empty table. */
uint64_t tables_new(struct tables *tables);

/* An entry of a table, by number. */
uint64_t *tables_slot(struct tables *tables, uint64_t table, unsigned int index);

/* The entry at `level` that translates gva; tables above it are made where they are missing, with all rights.
 */
uint64_t *tables_entry(struct tables *tables, uint64_t gva, unsigned int level);

/* Maps one page of the size of `level` (1: 4K, 2: 2M, 3: 1G). flags: beside P and PS. */
void tables_map(struct tables *tables, uint64_t gva, uint64_t gpa, unsigned int level, uint64_t flags);

/* Maps `count` 4K pages, whose frames are adjacent. */
void tables_map_pages(struct tables *tables, uint64_t gva, uint64_t gpa, unsigned int count, uint64_t flags);

/* A pseudo-random number of 64 bits; the same sequence for the same start (splitmix64). */
uint64_t random_next(uint64_t *state);

#endif
