/* SPDX-License-Identifier: MIT */
/*
 * test_names.c: the names of the script's variables, which the guest's boot record has and the guest does not
 * read.
 */
#include "world.h"

#include "agent/agent.h"
#include "kvmap/ring.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define RECORD 0xe00000ull /* GPA, of a module of one page */

static struct world world;
static struct claims claims;

static void begin(void)
{
	world_create(&world);
}

static void end(void)
{
	claims_destroy(&claims);
	world_destroy(&world);
}

TestSuite(names, .init = begin, .fini = end);

/* Puts a module with these bytes of names, at its end, into the guest. Returns its record. */
static struct kvmap_boot *put_names(const char *bytes, size_t size)
{
	struct kvmap_boot *record = (struct kvmap_boot *)(world.memory + RECORD);

	*record = (struct kvmap_boot){
		.magic = KVMAP_BOOT_MAGIC,
		.version = KVMAP_BOOT_VERSION,
		.size = (uint32_t)(sizeof(*record) + size),
		.names_offset = sizeof(*record),
	};
	memcpy(record + 1, bytes, size);
	world_root(&world, "agent", struct agent)->record = world_va(RECORD);
	*world_root(&world, "agent_nr_variables", uint32_t) = 3;
	return record;
}

static void expect_names(const char *first, const char *second, const char *third)
{
	world_read(&world, &claims);
	cr_assert_eq(claims.variables.count, 3);
	cr_expect_str_eq(claims.variables.items[0].name, first);
	cr_expect_str_eq(claims.variables.items[1].name, second);
	cr_expect_str_eq(claims.variables.items[2].name, third);
	cr_expect_eq(claims.damages.count, 0, "a name that is not there is no damage");
}

Test(names, variables_have_those_of_the_module)
{
	put_names("a\0table_2\0c", 12);
	expect_names("a", "table_2", "c");
}

Test(names, a_variable_is_found_by_its_name_and_by_the_area_it_holds)
{
	struct agent_variable *variables = world_root(&world, "agent_variables", struct agent_variable);
	const struct claim_area *area;

	put_names("a\0bb\0c", 7);
	variables[0].address = variables[1].address = variables[2].address = WORLD_A;
	variables[0].state = variables[1].state = VARIABLE_LIVE;
	variables[2].state = VARIABLE_FREED;
	world_read(&world, &claims);
	cr_expect_eq(claims_variable(&claims, "bb+16", 2), &claims.variables.items[1]);
	cr_expect_null(claims_variable(&claims, "b", 1));
	cr_expect_null(claims_variable(&claims, "", 0));
	cr_expect_null(claims_variable(NULL, "a", 1));
	area = claims_area_at(&claims, WORLD_A);
	cr_assert_not_null(area);
	cr_expect_str_eq(claims_area_variable(&claims, area), "bb");
	cr_expect_null(claims_area_variable(&claims, claims_area_at(&claims, WORLD_B)));
	cr_expect_null(claims_area_variable(NULL, area));
}

Test(names, what_kmalloc_gave_a_variable_is_found_by_the_bytes_it_has)
{
	struct agent_variable *variables = world_root(&world, "agent_variables", struct agent_variable);
	size_t next = 0;

	put_names("a\0bb\0c", 7);
	for (int i = 0; i < 3; i++) {
		variables[i].address = KVMAP_DIRECT_BASE + 0x1fc0 + (uint64_t)i * 64;
		variables[i].size = 64;
		variables[i].state = i == 2 ? VARIABLE_FREED : VARIABLE_LIVE;
	}
	world_read(&world, &claims);
	cr_expect_eq(claims_object_variable(&claims, KVMAP_DIRECT_BASE + 0x1fff, 1, &next),
		     &claims.variables.items[0]);
	cr_expect_null(claims_object_variable(&claims, KVMAP_DIRECT_BASE + 0x1fff, 1, &next));
	next = 0;
	cr_expect_eq(claims_object_variable(&claims, KVMAP_DIRECT_BASE + 0x1000, 0x2000, &next),
		     &claims.variables.items[0]);
	cr_expect_eq(claims_object_variable(&claims, KVMAP_DIRECT_BASE + 0x1000, 0x2000, &next),
		     &claims.variables.items[1]);
	cr_expect_null(claims_object_variable(&claims, KVMAP_DIRECT_BASE + 0x1000, 0x2000, &next), "freed");
	next = 0;
	cr_expect_null(claims_object_variable(&claims, KVMAP_DIRECT_BASE + 0x2040, 8, &next));
	cr_expect_null(claims_object_variable(NULL, KVMAP_DIRECT_BASE + 0x1fc0, 8, &next));
}

Test(names, fewer_names_than_variables)
{
	put_names("a\0b", 4);
	expect_names("a", "b", "");
}

Test(names, a_name_without_an_end)
{
	put_names("a\0bcd", 5);
	expect_names("a", "", "");
}

Test(names, a_name_that_is_too_long)
{
	put_names("a\0aaaaaaaaaabbbbbbbbbbccccccccccdd\0e", 37);
	expect_names("a", "", "");
}

Test(names, bytes_that_are_no_name)
{
	put_names("a\0b\033[2J\0c", 10);
	expect_names("a", "", "");
}

Test(names, a_record_of_another_version_or_without_names)
{
	put_names("a\0b\0c", 6)->version++;
	expect_names("", "", "");
	claims_destroy(&claims);
	put_names("a\0b\0c", 6)->names_offset = 0;
	expect_names("", "", "");
	claims_destroy(&claims);
	put_names("a\0b\0c", 6)->names_offset = sizeof(struct kvmap_boot) - 1;
	expect_names("", "", "");
	claims_destroy(&claims);
	put_names("a\0b\0c", 6)->names_offset = UINT32_MAX;
	expect_names("", "", "");
}

Test(names, a_record_that_is_not_in_memory)
{
	put_names("a\0b\0c", 6);
	world_root(&world, "agent", struct agent)->record = (const struct kvmap_boot *)-8;
	expect_names("", "", "");
}

Test(names, a_module_that_ends_outside_of_memory)
{
	put_names("a\0b\0c", 6)->size = UINT32_MAX;
	memmove(world.memory + WORLD_SIZE - sizeof(struct kvmap_boot) - 4, world.memory + RECORD,
		sizeof(struct kvmap_boot) + 4);
	world_root(&world, "agent", struct agent)->record =
		world_va(WORLD_SIZE - sizeof(struct kvmap_boot) - 4);
	world_read(&world, &claims);
	cr_expect_eq(claims.variables.count, 3);
	cr_expect_eq(claims.damages.count, 0);
}

/* ---- of a guest that gets operations by a ring ---- */

#define RING      0x30000ull /* GPA */
#define RING_SIZE 0x2000u

static struct kvmap_ring *put_ring(const char *bytes, size_t size)
{
	struct kvmap_boot *record = put_names("a\0b", 4);
	struct kvmap_ring *ring = (struct kvmap_ring *)(world.memory + RING);

	record->flags = KVMAP_BOOT_RING;
	record->ring_gpa = RING;
	record->ring_size = RING_SIZE;
	*ring = (struct kvmap_ring){ .names_offset = 0x1000, .names_size = (uint32_t)size };
	memcpy((uint8_t *)ring + 0x1000, bytes, size);
	return ring;
}

Test(names, of_a_ring_replace_those_of_the_module)
{
	put_ring("a\0b\0typed", 10);
	expect_names("a", "b", "typed");
}

Test(names, of_a_ring_without_any_are_those_of_the_module)
{
	put_ring("", 0);
	expect_names("a", "b", "");
}

Test(names, of_a_ring_that_cannot_be_are_those_of_the_module)
{
	static const struct {
		uint64_t gpa;
		uint32_t ring_size, offset, size;
	} cases[] = {
		{ KVMAP_LOW_RESERVED, RING_SIZE, 0x1000, 10 }, /* not in low memory */
		{ UINT64_MAX, RING_SIZE, 0x1000, 10 },
		{ RING, 0, 0x1000, 10 },
		{ RING, RING_SIZE, RING_SIZE, 10 },     /* names after the ring */
		{ RING, RING_SIZE, 0x1000, RING_SIZE }, /* that do not end in it */
		{ RING, RING_SIZE, UINT32_MAX, UINT32_MAX },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kvmap_ring *ring = put_ring("x\0y\0z", 6);
		struct kvmap_boot *record = (struct kvmap_boot *)(world.memory + RECORD);

		record->ring_gpa = cases[i].gpa;
		record->ring_size = cases[i].ring_size;
		ring->names_offset = cases[i].offset;
		ring->names_size = cases[i].size;
		expect_names("a", "b", "");
		claims_destroy(&claims);
		claims = (struct claims){ 0 };
	}
}
