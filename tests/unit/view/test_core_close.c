/* SPDX-License-Identifier: MIT */
/* What a core holds is released: by view_destroy(), and by core_open() where it refuses the core. */
#define _DEFAULT_SOURCE /* mincore */
#include "descriptors.h"
#include "cores.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

Test(core_close, leaves_no_descriptor_and_no_mapping_when_its_view_is_destroyed)
{
	unsigned int descriptors = open_descriptors();
	uint8_t bytes[CORE_SIZE];
	unsigned char in_core;
	const uint8_t *memory;
	struct error error;
	struct view *view;

	core_make(bytes);
	cr_assert_eq(core_open_bytes(bytes, sizeof(bytes), &view, &error), 0, "%s", error.text);
	cr_expect_eq(open_descriptors(), descriptors + 1);
	memory = view->regions[0].bytes;
	cr_expect_eq(mincore((void *)memory, PAGE, &in_core), 0);
	view_destroy(view);
	cr_expect_eq(open_descriptors(), descriptors);
	cr_expect_eq(mincore((void *)memory, PAGE, &in_core), -1);
}

Test(core_close, leaves_no_descriptor_and_no_mapping_when_it_is_refused)
{
	unsigned int descriptors, before;
	const uint64_t overlap = PAGE;
	uint8_t bytes[CORE_SIZE];
	struct error error;
	struct view *view;

	core_make(bytes);
	memcpy(bytes + CORE_SEGMENT(2) + 24, &overlap, sizeof(overlap));
	descriptors = open_descriptors();
	/* The first calls may be the first that allocate. */
	for (int i = 0; i < 10; i++)
		cr_assert_eq(core_open_bytes(bytes, sizeof(bytes), &view, &error), -1);
	cr_expect(strstr(error.text, "overlaps"), "%s", error.text);
	before = open_mappings();
	for (int i = 0; i < 100; i++)
		cr_assert_eq(core_open_bytes(bytes, sizeof(bytes), &view, &error), -1);
	cr_expect_lt(open_mappings(), before + 50);
	cr_expect_eq(open_descriptors(), descriptors);
}
