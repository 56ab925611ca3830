/* SPDX-License-Identifier: MIT */
#include "shell/last_stop.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 0x10000ul

static struct view view;
static uint8_t *memory;

static void prepare(void)
{
	struct view_region region = { .gpa = 0x100000, .size = SIZE, .fd = -1 };
	struct error error;

	memory = aligned_alloc(0x1000, SIZE);
	cr_assert(memory);
	memset(memory, 0x5a, SIZE);
	region.bytes = memory;
	cr_assert_eq(view_add_region(&view, &region, &error), 0);
	cr_assert_eq(view_set_cpus(&view, 1, &error), 0);
	view.cpus[0].cr3 = 0x123000;
	view.physical_bits = 39;
}

static void finish(void)
{
	view_clear(&view);
	free(memory);
}

TestSuite(last_stop, .init = prepare, .fini = finish);

Test(last_stop, is_a_copy_that_later_changes_do_not_change)
{
	struct error error;
	struct view *copy = last_stop_copy(&view, &error);
	const uint8_t *bytes;

	cr_assert(copy, "%s", error.text);
	memory[0x2345] = 7;
	view.cpus[0].cr3 = 0;
	bytes = view_bytes(copy, 0x102000, 0x1000);
	cr_assert(bytes);
	cr_expect_eq(bytes[0x345], 0x5a);
	cr_expect_eq(copy->cpus[0].cr3, 0x123000);
	cr_expect_eq(copy->physical_bits, 39);
	cr_expect_eq(view_size(copy), SIZE);
	view_destroy(copy);
}

Test(last_stop, of_a_guest_with_much_memory_in_use_is_not_kept)
{
	struct error error;

	view.data_size_max = LAST_STOP_MAX + 1;
	view.regions[0].size = LAST_STOP_MAX + 0x1000;
	cr_expect_null(last_stop_copy(&view, &error));
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect(strstr(error.text, "the last stop was not kept"), "%s", error.text);
}
