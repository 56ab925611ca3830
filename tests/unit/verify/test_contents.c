/* SPDX-License-Identifier: MIT */
/* V12: areas and kmalloc() objects hold what the script wrote. */
#include "base/array.h"
#include "kvmap/operation.h"
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(contents, .init = world_init, .fini = world_destroy);

Test(contents, a_changed_bit_of_a_filled_area_is_found)
{
	ram(*frame(A, 2) * K4)[0x7ff] ^= 1;
	expect_findings("V12");
	cr_expect_eq(w.verdict.findings.items[0].address, AREA_A + 2 * K4 + 0x7f8);
	cr_expect_not_null(strstr(w.verdict.findings.items[0].where, "'first'"));
}

Test(contents, a_zeroed_area_that_is_not_zero_is_found)
{
	ram(*frame(B, 1) * K4)[0xfff] = 1;
	expect_findings("V12");
}

Test(contents, a_written_word_that_is_not_there_is_found)
{
	w.claims.variables.items[2].write_value++;
	expect_findings("V12");
}

Test(contents, every_word_that_was_written_last_is_compared)
{
	struct claim_variable *variable = &w.claims.variables.items[2];
	uint8_t *bytes = ram(*frame(C, 0) * K4 + 0x20);

	memcpy(bytes + 8, "89", 2);
	variable->write_value = KVMAP_WRITTEN_SUM(0x1234, 0x3938);
	variable->write_words = 2;
	expect_findings("");
	bytes[0] ^= 1;
	expect_findings("V12");
	bytes[0] ^= 1;
	bytes[9] ^= 1;
	expect_findings("V12");
}

Test(contents, words_written_beyond_the_area_are_found)
{
	w.claims.variables.items[2].write_words = 0xffff;
	expect_findings("V12");
	cr_expect_str_eq(w.verdict.findings.items[0].found, "no memory there");
}

Test(contents, a_variable_larger_than_its_area_is_found_without_reading_beyond_it)
{
	w.claims.variables.items[0].size = ~0ull;
	expect_findings("V12");
}

Test(contents, a_variable_without_an_area_is_found)
{
	w.claims.variables.items[2].address = AREA_L;
	w.claims.variables.items[2].write_address = 0;
	expect_findings("V12");
}

/* ---- kmalloc ---- */

/* Makes the third variable a kmalloc() object: the block of four frames, filled. */
static struct claim_variable *filled_block(void)
{
	struct claim_variable *variable = &w.claims.variables.items[2];

	allocate_four();
	for (uint64_t at = 0; at < 3 * K4; at += 8)
		memcpy(ram(FREE_FOUR * K4 + at), &(uint64_t){ KVMAP_PATTERN(SEED, at / K4) }, 8);
	*variable = (struct claim_variable){ .address = KVMAP_DIRECT_BASE + FREE_FOUR * K4,
					     .size = 3 * K4 - 3,
					     .filled = 3 * K4 - 3,
					     .fill_seed = SEED,
					     .state = VARIABLE_LIVE,
					     .contents = CONTENTS_PATTERN };
	return variable;
}

Test(contents, an_object_holds_its_contents_to_its_last_word)
{
	filled_block();
	expect_findings("");
	ram(FREE_FOUR * K4 + 3 * K4 - 8)[0] ^= 1; /* not all of that word is the object's */
	expect_findings("");
	ram(FREE_FOUR * K4 + 3 * K4 - 9)[0] ^= 1;
	expect_findings("V12");
	cr_expect_eq(w.verdict.findings.items[0].address, KVMAP_DIRECT_BASE + (FREE_FOUR + 3) * K4 - 16);
}

Test(contents, zeros_are_compared_to_the_last_byte)
{
	struct claim_variable *variable = filled_block();

	memset(ram(FREE_FOUR * K4), 0, 3 * K4);
	variable->contents = CONTENTS_ZERO;
	expect_findings("");
	ram(FREE_FOUR * K4 + 3 * K4 - 3)[0] = 1;
	expect_findings("");
	ram(FREE_FOUR * K4 + 3 * K4 - 4)[0] = 1;
	expect_findings("V12");
}

Test(contents, bytes_that_a_resize_gained_are_zero_from_the_first_to_the_last)
{
	struct claim_variable *variable = filled_block();
	uint8_t *bytes = ram(FREE_FOUR * K4);

	variable->filled = K4 + 101;
	variable->zero_start = K4 + 101;
	variable->zero_end = 3 * K4 - 3;
	memset(bytes + variable->zero_start, 0, variable->zero_end - variable->zero_start);
	expect_findings("");
	bytes[K4 + 100] ^= 1; /* the rest of a word of which the pattern is not claimed */
	bytes[3 * K4 - 3] ^= 1;
	expect_findings("");
	bytes[K4 + 101] = 1;
	expect_findings("V12");
	cr_expect_eq(w.verdict.findings.items[0].address, KVMAP_DIRECT_BASE + (FREE_FOUR + 1) * K4 + 101);
	bytes[K4 + 101] = 0;
	variable->contents = CONTENTS_UNKNOWN;
	bytes[3 * K4 - 4] = 1;
	expect_findings("V12");
}

Test(contents, bytes_that_an_area_gained_are_zero)
{
	struct claim_variable *variable = &w.claims.variables.items[0];

	variable->filled = variable->zero_start = 2 * K4 + 10;
	variable->zero_end = 4 * K4;
	memset(ram(*frame(A, 2) * K4) + 10, 0, K4 - 10);
	memset(ram(*frame(A, 3) * K4), 0, K4);
	expect_findings("");
	ram(*frame(A, 2) * K4)[10] = 7;
	expect_findings("V12");
}

Test(contents, the_requested_size_of_a_block_is_the_scripts)
{
	filled_block();
	page_of(FREE_FOUR)->requested = 3 * K4 - 3;
	expect_findings("");
	page_of(FREE_FOUR)->requested++;
	expect_findings("V12");
}

/* The second object of the first slab, of 128 bytes. */
static struct claim_variable *object_of(uint64_t size)
{
	struct claim_variable *variable = &w.claims.variables.items[2];

	*variable = (struct claim_variable){ .address = KVMAP_DIRECT_BASE + SLAB_0 * K4 + 128,
					     .size = size,
					     .state = VARIABLE_LIVE };
	return variable;
}

Test(contents, the_requested_size_of_an_object_is_the_scripts)
{
	uint8_t *end = ram(SLAB_0 * K4 + 256);
	struct claim_variable *variable = object_of(100);

	expect_findings("");
	w.claims.caches[0].slack = true;
	end[-1] = 28;
	expect_findings("");
	end[-1] = 27;
	expect_findings("V12");
	variable->slack_written = true; /* by the script, over the record */
	expect_findings("");
	variable->slack_written = false;
	end[-1] = 0xff;
	memcpy(end - 4, &(uint16_t){ 0xffff }, 2);
	expect_findings("V12");
	variable->size = 128;
	end[-1] = 0;
	expect_findings("");
}

/* Makes the record of an object of 128 bytes whose slab has one frame of objects. */
static void record_make(uint8_t *object, uint32_t size)
{
	memcpy(object + K4 + 64 + KMALLOC_RECORD_OFFSET, &(uint64_t){ KMALLOC_RECORD(size) }, 8);
}

/* With slab_debug a slab has two frames; this one has not, so that its objects are not counted. */
static void as_if_of_two_frames(void)
{
	struct claim_cache *cache = &w.claims.caches[0];

	cache->link = K4 + 64;
	cache->index = page_of(SLAB_0)->cache = KMALLOC_CLASSES + 1;
	for (unsigned int object = 26; object < 32; object++)
		w.claims.kmalloc_sum -= world_object(0, object);
}

Test(contents, with_slab_debug_the_bytes_behind_the_requested_size_are_a_redzone)
{
	uint8_t *object = ram(SLAB_0 * K4 + 128);

	object_of(100);
	as_if_of_two_frames();
	record_make(object, 100);
	memset(object + 100, KMALLOC_REDZONE, 28);
	expect_findings("");
	object[127]++;
	expect_findings("V12");
	cr_expect_eq(w.verdict.findings.items[0].address, KVMAP_DIRECT_BASE + SLAB_0 * K4 + 128 + 120);
	cr_expect_not_null(strstr(w.verdict.findings.items[0].where, "the object at 0xffff888000100080 of "));
	cr_expect_not_null(strstr(w.verdict.findings.items[0].found, "beyond its size"));
	object[127]--;
	object[100]++;
	expect_findings("V12");
}

Test(contents, with_slab_debug_the_record_of_a_live_object_is_neither_free_nor_another)
{
	uint8_t *object = ram(SLAB_0 * K4 + 128);

	object_of(128);
	as_if_of_two_frames();
	record_make(object, 128);
	expect_findings("");
	record_make(object, 0);
	expect_findings("V12");
	cr_expect_not_null(strstr(w.verdict.findings.items[0].claimed, "free"));
	record_make(object, 127);
	expect_findings("V12");
	object[K4 + 64 + KMALLOC_RECORD_OFFSET]++; /* no record: a finding of the slab, below */
	expect_findings("");
}

Test(contents, with_slab_debug_the_slack_of_a_block_is_a_redzone)
{
	uint8_t *bytes = ram(FREE_FOUR * K4);

	filled_block();
	page_of(FREE_FOUR)->requested = 3 * K4 - 3;
	w.claims.slab_debug = true;
	memset(bytes + 3 * K4 - 3, KMALLOC_REDZONE, K4 + 3);
	expect_findings("");
	bytes[4 * K4 - 1]++;
	expect_findings("V12");
	cr_expect_eq(w.verdict.findings.items[0].address, KVMAP_DIRECT_BASE + (FREE_FOUR + 4) * K4 - 8);
	cr_expect_not_null(strstr(w.verdict.findings.items[0].where, "the block at "));
	page_of(FREE_FOUR)->requested = 0; /* of alloc_pages() */
	expect_findings("");
}

Test(contents, a_write_to_a_free_object_is_found_with_the_object)
{
	struct claim_debug_write write = { .object = KVMAP_DIRECT_BASE + SLAB_0 * K4,
					   .address = KVMAP_DIRECT_BASE + SLAB_0 * K4 + 8,
					   .value = 0x42,
					   .kind = WRITE_FREED };

	cr_assert_eq(array_push(&w.claims.debug_writes, write), 0);
	expect_findings("V12");
	cr_expect_eq(w.verdict.findings.items[0].address, write.address);
	cr_expect_not_null(strstr(w.verdict.findings.items[0].where, "free object"));
}

Test(contents, a_write_to_a_redzone_of_a_slab_is_found_with_the_object)
{
	struct claim_debug_write write = { .object = KVMAP_DIRECT_BASE + SLAB_0 * K4 + 128,
					   .address = KVMAP_DIRECT_BASE + (SLAB_0 + 1) * K4,
					   .value = 0x42,
					   .kind = WRITE_BEYOND };

	cr_assert_eq(array_push(&w.claims.debug_writes, write), 0);
	write.kind = WRITE_RECORD; /* of the same object: one finding */
	cr_assert_eq(array_push(&w.claims.debug_writes, write), 0);
	expect_findings("V12");
	cr_expect_eq(w.verdict.findings.items[0].address, write.address);
	cr_expect_not_null(strstr(w.verdict.findings.items[0].where, "the object at 0xffff888000100080"));
	cr_expect_not_null(strstr(w.verdict.findings.items[0].found, "beyond its size"));
	cr_expect_not_null(strstr(w.verdict.further.items[0].found, "record was overwritten"));
}

Test(contents, an_object_larger_than_its_allocation_is_found)
{
	struct claim_variable *variable = filled_block();

	variable->size = 4 * K4 + 1;
	expect_findings("V12");
	variable->size = ~0ull;
	expect_findings("V12");
	variable->size = 100;
	variable->contents = CONTENTS_UNKNOWN;
	expect_findings("");
	variable->address += 8;
	expect_findings("V12");
	variable->address = KVMAP_DIRECT_BASE + SLAB_0 * K4 + 128;
	expect_findings("");
	variable->size = 129;
	expect_findings("V12");
	variable->address = KVMAP_DIRECT_BASE + HELD * K4;
	expect_findings("V12");
}

Test(contents, an_object_whose_pages_are_not_contiguous_is_found)
{
	filled_block();
	w.claims.variables.items[2].contents = CONTENTS_UNKNOWN;
	*tables_entry(&w.tables, KVMAP_DIRECT_BASE, 2) += M2;
	verdict_destroy(&w.verdict);
	cr_assert_eq(verify(&w.input, &w.verdict, &(struct error){ 0 }), 0);
	cr_expect_eq(w.verdict.results[12].findings, 3, "one for each page");
}
