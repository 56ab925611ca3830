/* SPDX-License-Identifier: MIT */
/* Every root and member that the claims are read by is where the compiler puts it. */
#include "claims/layout.h"
#include "agent/agent.h"
#include "agent/variables.h"
#include "arch/x86_64/percpu.h"
#include "mm/page/frames.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmalloc.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
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

/* The program of broken.c with that number is refused with a text that contains `what`. */
static void expect_refused(unsigned int broken, const char *what)
{
	struct claims_layout *layout = NULL;
	struct symbols *symbols;
	struct error error;
	char variable[32];

	snprintf(variable, sizeof(variable), "CLAIMS_PROGRAM_BROKEN_%u", broken);
	cr_assert_not_null(getenv(variable));
	cr_assert_eq(symbols_open(getenv(variable), &symbols, &error), 0, "%s", error.text);
	cr_assert_eq(claims_layout_open(symbols, &layout, &error), -1, "%s", what);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect(strstr(error.text, what), "\"%s\" does not say \"%s\"", error.text, what);
	cr_expect_null(layout);
	symbols_close(symbols);
}

Test(layout, roots_and_members_of_impossible_sizes_are_refused)
{
	expect_refused(1, "`max_pfn` has an impossible size, 3 bytes: not a kvmap guest?");
	expect_refused(2, "`struct tlb_stats`, member rounds has an impossible size");
	expect_refused(3, "its symbols and its debug information disagree");
}

Test(layout, arrays_larger_than_those_of_the_host_are_refused)
{
	expect_refused(4, "`memblock.reserved` has 17 elements (408 bytes), and this kvmap reads 16 at most "
			  "(KVMAP_MEMBLOCK_REGIONS_MAX): build kvmap and its guest from the same source");
	expect_refused(5, "`zones` has 34 elements");
}
