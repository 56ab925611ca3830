/* SPDX-License-Identifier: MIT */
/* Every root and member that the claims are read by is where the compiler puts it. */
#include "claims/layout.h"
#include "agent/variables.h"
#include "arch/x86_64/percpu.h"
#include "mm/page/frames.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmalloc.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct {
	const char *name;
	struct type_member expected;
} types[CLAIM_TYPE_COUNT] = {
#define STRUCTURE(type)    { #type, { 0, sizeof(struct type) } },
#define SIZE(type, name)   sizeof(((struct type *)0)->name)
#define MEMBER(type, name) { #type "." #name, { offsetof(struct type, name), SIZE(type, name) } },
	CLAIM_TYPES(STRUCTURE, MEMBER, MEMBER)
};
/* clang-format on */

static void check_members(const char *program)
{
	struct claims_layout *layout;
	struct symbols *symbols;
	struct error error;

	cr_assert_not_null(program);
	cr_assert_eq(symbols_open(program, &symbols, &error), 0, "%s", error.text);
	cr_assert_eq(claims_layout_open(symbols, &layout, &error), 0, "%s", error.text);
	for (size_t i = 0; i < CLAIM_TYPE_COUNT; i++) {
		cr_expect_eq(layout->types[i].offset, types[i].expected.offset, "%s is at %u", types[i].name,
			     layout->types[i].offset);
		cr_expect_eq(layout->types[i].size, types[i].expected.size, "%s has %u bytes", types[i].name,
			     layout->types[i].size);
	}
	cr_expect_eq(layout->roots[ROOT_memblock].size, sizeof(struct memblock));
	cr_expect_eq(layout->roots[ROOT_max_pfn].size, sizeof(unsigned long));
	claims_layout_close(layout);
	symbols_close(symbols);
}

Test(layout, members_are_where_DWARF_4_says)
{
	check_members(getenv("CLAIMS_PROGRAM_4"));
}

Test(layout, members_are_where_DWARF_5_says)
{
	check_members(getenv("CLAIMS_PROGRAM_5"));
}

Test(layout, a_program_that_is_no_guest_has_no_claims)
{
	struct symbols *symbols;
	struct claims_layout *layout = NULL;
	struct error error;

	cr_assert_eq(symbols_open("/proc/self/exe", &symbols, &error), 0, "%s", error.text);
	cr_assert_eq(claims_layout_open(symbols, &layout, &error), -1);
	cr_expect(strstr(error.text, "has no `mem_map`: not a kvmap guest?"), "%s", error.text);
	cr_expect_null(layout);
	symbols_close(symbols);
}
