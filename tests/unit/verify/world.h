/* SPDX-License-Identifier: MIT */
/*
 * world.h: a small guest without findings: page tables, memory, and claims about them. A test changes one
 * thing and checks which invariants have findings.
 *
 *   RAM         [0, 4M) and [16M, 20M)
 *   reserved    [0, 1M): page tables; [2M, 4M): image, text 2 pages, rodata 1, data 2
 *   vmalloc     A 4 pages | B 2 pages | lazy 2 pages | free | C 1 page | free       each with its guard
 */
#ifndef TESTS_UNIT_VERIFY_WORLD_H
#define TESTS_UNIT_VERIFY_WORLD_H

#include "tables.h"
#include "kvmap/layout.h"
#include "verify/verify.h"

/* Where the next area begins after one of this many pages at `start` and its guard. */
#define AREA_AFTER(start, pages) ((start) + (pages)*K4 + KVMAP_GUARD_SIZE)

#define AREA_A   VMALLOC
#define AREA_B   AREA_AFTER(AREA_A, 4)
#define AREA_L   AREA_AFTER(AREA_B, 2)
#define FREE     AREA_AFTER(AREA_L, 2)
#define AREA_C   (FREE + 9 * K4)
#define AREA_END AREA_AFTER(AREA_C, 1)

/* Index in claims.areas */
enum { A, B, C, L };

/* GPA of a frame of low memory that belongs to no area and is no page table. */
#define LOW_GPA 0xff000ull

#define TEXT   0x200000ull
#define RODATA 0x210000ull
#define DATA   0x300000ull

/* Frames: of the caches, held, a free block of order 0, one of order 2; the first of A's. */
#define SLAB_0     0x100
#define SLAB_1     0x101
#define HELD       0x102
#define FREE_BLOCK 0x103
#define FREE_FOUR  0x104
#define FRAME_A    0x1001

#define SEED 5

struct world {
	struct tables tables;
	struct claims claims;
	struct verdict verdict;
	struct verify_input input;
};

extern struct world w;

/* The segments of the replaced program/symbols.h. */
extern struct symbols_segment segments[3];
extern size_t segment_count;

/* The code of idle CPUs by its symbols, and the stack of every CPU. */
#define IDLE_TEXT     0xffffffff80200300ull
#define IDLE_TEXT_END 0xffffffff80200400ull
struct backtrace;
extern struct backtrace stack;

void world_init(void);
void world_destroy(void);

/* Guest memory at a GPA, to be written. */
uint8_t *ram(uint64_t gpa);

struct claim_area *area(unsigned int index);

/* The pfn of page `page` of an area, to be changed. */
uint32_t *frame(unsigned int index, unsigned int page);

/* The struct page of a frame; made if it is all zero. */
struct claim_page *page_of(uint64_t pfn);

/* The GVA of object `number`, 0 to 31, of cache 0 or 1: classes of kmalloc() whose objects from 26 on are in use. */
uint64_t world_object(unsigned int cache, unsigned int number);

/* Makes the free buddy block of four frames one that alloc_pages() has allocated. */
void allocate_four(void);

/* Verifies, and fails unless exactly these invariants have findings: "V1 V5". */
void expect_findings(const char *invariants);

#endif
