/* SPDX-License-Identifier: MIT */
/* Slabs of slab_debug: poison, redzones, records and links. */
#include "damage.h"
#include "arch/x86_64/percpu.h"

#include <criterion/criterion.h>
#include <string.h>

/* A slab of objects of 96 bytes, so that there are bytes after the last object that are none's. */
#define SLAB    0x780000ul
#define SIZE    96ul
#define HALF    PAGE_SIZE
#define OBJECTS (HALF / SIZE)
#define LINK    (HALF + SIZE / 2)

static uint64_t object_gpa(unsigned int i)
{
	return SLAB + i * SIZE;
}

static uint64_t *word(uint64_t gpa)
{
	return (uint64_t *)(void *)(world.memory + gpa);
}

static uint64_t *link_of(unsigned int i)
{
	return word(object_gpa(i) + LINK);
}

static uint64_t *record_of(unsigned int i)
{
	return word(object_gpa(i) + LINK + KMALLOC_RECORD_OFFSET);
}

/* The objects 0 and 1 are in use, with 1 and all bytes; 2, 3 and 4 are free, in this order; the others are in use. */
static void begin(void)
{
	struct kmem_cache *cache;
	struct page *page;

	damage_begin();
	cache = world_cache(&world, 3);
	page = world_page(&world, SLAB >> PAGE_SHIFT);
	world_cpu(&world, 3)->objects[3] = (struct kmem_list){ 0 };
	cache->object_size = SIZE;
	cache->order = 1;
	cache->link = LINK;
	cache->partial = SLAB >> PAGE_SHIFT;
	page->owner = PAGE_SLAB;
	page->cache = 3;
	page->nr_objects = 3;
	page->freelist = 2 * SIZE / 8 + 1;
	*world_root(&world, "slab_debug", bool) = true;
	memset(word(SLAB), 0, HALF);
	memset(word(SLAB + OBJECTS * SIZE), KMALLOC_REDZONE, 2 * HALF - OBJECTS * SIZE);
	memset(word(object_gpa(2)), KMALLOC_POISON, 3 * SIZE);
	for (unsigned int i = 0; i < OBJECTS; i++)
		*record_of(i) = KMALLOC_RECORD(i > 1 && i < 5 ? 0 : i ? SIZE : 1);
	*link_of(2) = DIRECT(object_gpa(3));
	*link_of(3) = DIRECT(object_gpa(4));
	*link_of(4) = 0;
}

TestSuite(debug_slab, .init = begin, .fini = damage_end);

static void expect_write(uint64_t gpa, unsigned int object, enum debug_write kind)
{
	const struct claim_debug_write *write;

	expect_no_damage();
	cr_assert_eq(claims.debug_writes.count, 1, "%zu", claims.debug_writes.count);
	write = &claims.debug_writes.items[0];
	cr_expect_eq(write->address, DIRECT(gpa));
	cr_expect_eq(write->object, DIRECT(object_gpa(object)));
	cr_expect_eq(write->value, *word(gpa));
	cr_expect_eq(write->kind, kind);
}

Test(debug_slab, a_slab_as_it_must_be)
{
	expect_no_damage();
	cr_expect_eq(claims.debug_writes.count, 0);
	cr_expect_eq(claims.poisoned_objects, 3);
	cr_expect_eq(claims.redzoned_slabs, 1);
	cr_expect(claims.slab_debug);
	cr_expect_eq(claims.caches[1].free_objects, 3);
	cr_expect_eq(claim_cache_objects(&claims.caches[1]), OBJECTS);
}

/* Each word of the second half, and those between it and the last object. */
Test(debug_slab, a_word_that_was_written_is_found_with_its_object)
{
	for (uint64_t at = OBJECTS * SIZE; at < 2 * HALF; at += 8) {
		uint64_t *written = word(SLAB + at), kept = *written;
		uint64_t object = at < LINK ? OBJECTS - 1 : (at - LINK) / SIZE,
			 in = at < LINK ? 16 : (at - LINK) % SIZE;

		if (object < OBJECTS && in == 0)
			continue; /* a link */
		*written = 0x42;
		expect_write(SLAB + at, (unsigned int)(object < OBJECTS ? object : OBJECTS - 1),
			     in == KMALLOC_RECORD_OFFSET && object < OBJECTS ? WRITE_RECORD : WRITE_BEYOND);
		*written = kept;
	}
	expect_no_damage();
	cr_expect_eq(claims.debug_writes.count, 0);
}

Test(debug_slab, a_record_of_more_than_the_object_is_none)
{
	*record_of(0) = KMALLOC_RECORD(SIZE);
	expect_no_damage();
	cr_expect_eq(claims.debug_writes.count, 0);
	*record_of(0) = KMALLOC_RECORD(SIZE + 1);
	expect_write(object_gpa(0) + LINK + KMALLOC_RECORD_OFFSET, 0, WRITE_RECORD);
}

Test(debug_slab, a_free_object_is_poison_and_its_record_says_so)
{
	*word(object_gpa(3) + SIZE - 8) = 0x42;
	expect_write(object_gpa(3) + SIZE - 8, 3, WRITE_FREED);
	*word(object_gpa(3) + SIZE - 8) = KMALLOC_WORD_OF(KMALLOC_POISON);
	*record_of(3) = KMALLOC_RECORD(5);
	expect_write(object_gpa(3) + LINK + KMALLOC_RECORD_OFFSET, 3, WRITE_FREED);
}

Test(debug_slab, a_link_that_leaves_the_slab_is_damage_with_the_object)
{
	const uint64_t slab = DIRECT(SLAB);
	const uint64_t wrong[] = { 0x42,    slab - SIZE, slab + 1, slab + SIZE / 2, slab + OBJECTS * SIZE,
				   NOWHERE, ~0ull };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		*link_of(2) = wrong[i];
		expect_only(
			"V4", DIRECT(object_gpa(2) + LINK), wrong[i],
			"kmem_caches[3]: free list leaves its slab after the object at 0xffff8880007800c0");
		cr_expect_eq(claims.caches[1].free_objects, 1);
	}
}

Test(debug_slab, a_list_has_as_many_objects_as_its_count)
{
	*link_of(3) = 0;
	expect_only("V4", DIRECT(object_gpa(3) + LINK), 0,
		    "kmem_caches[3]: free list is too short after the object at 0xffff888000780120");
	*link_of(3) = DIRECT(object_gpa(2));
	*link_of(2) = DIRECT(object_gpa(3));
	expect_only("V4", DIRECT(object_gpa(2) + LINK), DIRECT(object_gpa(3)),
		    "kmem_caches[3]: free list is too long after the object at 0xffff8880007800c0");
	world_page(&world, SLAB >> PAGE_SHIFT)->nr_objects = 0;
	expect_only("V4", STRUCT_PAGE(SLAB >> PAGE_SHIFT), DIRECT(object_gpa(2)),
		    "kmem_caches[3]: free list is too long at its start: 0xffff8880007800c0");
}

Test(debug_slab, sizes_that_are_impossible_are_not_used)
{
	struct kmem_cache *cache = world_cache(&world, 3);
	const struct {
		uint32_t size, link;
		uint16_t order;
	} wrong[] = { { SIZE, LINK + 8, 1 }, { SIZE, LINK, 0 },       { SIZE, LINK, 0xffff },
		      { 16, HALF + 8, 1 },   { 0, HALF, 1 },          { 100, HALF + 50, 1 },
		      { HALF + 8, LINK, 1 }, { ~7u, LINK, MAX_ORDER } };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cache->object_size = wrong[i].size;
		cache->link = wrong[i].link;
		cache->order = wrong[i].order;
		expect_only("V4", CACHE(3), wrong[i].size,
			    "kmem_caches[3]: impossible size of objects or slabs");
		cr_expect_eq(claims.redzoned_slabs, 0);
	}
}
