/* SPDX-License-Identifier: MIT */
/* The table that the build makes is that of the guest's debug information, and is used for that build alone. */
#include "claims/known_layout.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct symbols *symbols;
static struct error error;

static void setup(void)
{
	cr_assert_not_null(getenv("GUEST"));
	cr_assert_eq(symbols_open(getenv("GUEST"), &symbols, &error), 0, "%s", error.text);
}

static void teardown(void)
{
	symbols_close(symbols);
}

TestSuite(known_layout, .init = setup, .fini = teardown);

static struct claims_layout *open_with(const struct known_layout *known)
{
	struct claims_layout *layout = NULL;

	cr_assert_eq(claims_layout_open_known(symbols, known, &layout, &error), 0, "%s", error.text);
	return layout;
}

Test(known_layout, each_member_is_where_the_debug_information_says)
{
	static const struct known_layout none;
	struct claims_layout *layout = open_with(&none);

	cr_assert_gt(known_layout.id_size, 0);
	for (size_t i = 0; i < CLAIM_TYPE_COUNT; i++) {
		cr_expect_eq(known_layout.types[i].offset, layout->types[i].offset, "offset of type %zu", i);
		cr_expect_eq(known_layout.types[i].size, layout->types[i].size, "size of type %zu", i);
	}
	claims_layout_close(layout);
}

/* A table with another offset shows where an offset comes from. */
static uint32_t offset_with(const struct known_layout *known)
{
	struct claims_layout *layout = open_with(known);
	uint32_t offset = layout->types[MEMBER_page_order].offset;

	claims_layout_close(layout);
	return offset;
}

Test(known_layout, is_used_for_the_guest_of_its_build_id_alone)
{
	struct known_layout other = known_layout;
	uint32_t real = known_layout.types[MEMBER_page_order].offset;

	other.types[MEMBER_page_order].offset++;
	cr_expect_eq(offset_with(&other), real + 1);
	other.id[other.id_size - 1] ^= 1;
	cr_expect_eq(offset_with(&other), real, "another build-id");
	other.id[other.id_size - 1] ^= 1;
	other.id_size--;
	cr_expect_eq(offset_with(&other), real, "a shorter build-id");
}

Test(known_layout, is_checked_like_debug_information)
{
	struct claims_layout *layout = NULL;
	struct known_layout other = known_layout;

	other.types[MEMBER_page_order].offset = other.types[TYPE_page].size;
	cr_expect_eq(claims_layout_open_known(symbols, &other, &layout, &error), -1);
	cr_expect_null(layout);
}
