/* SPDX-License-Identifier: MIT */
/* Members found in DWARF 4 and 5 are where the compiler put them. */
#include "program/types.h"
#include "world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(type, name)                                                                                    \
	do {                                                                                                 \
		struct type_member found = { ~0u, ~0u };                                                     \
		struct type_wanted wanted = { #type, #name, &found };                                        \
		cr_assert_eq(types_resolve(program, &wanted, 1, &error), 0, "%s", error.text);               \
		cr_expect_eq(found.offset, offsetof(struct type, name), "%s.%s at %u", #type, #name,         \
			     found.offset);                                                                  \
		cr_expect_eq(found.size, sizeof(((struct type *)0)->name), "%s.%s has %u", #type, #name,     \
			     found.size);                                                                    \
	} while (0)

static void check_members(const char *program)
{
	struct error error;

	cr_assert_not_null(program);
	CHECK(page, owner);
	CHECK(page, order);
	CHECK(page, vaddr);
	CHECK(zone, free_area);
	CHECK(memblock, reserved);
	CHECK(memblock_region, kind);
	CHECK(kmem_cache, nr_partial);
	CHECK(page, freelist);
	CHECK(page, nr_objects);
	CHECK(kmem_list, nr);
	CHECK(cpu_cache, objects);
	CHECK(vm_struct, nr_pages);
	CHECK(vmap_area, rb_node);
	CHECK(vmap_area, subtree_max_size);
	CHECK(vmap_area, vm);
	CHECK(vmap_area, handed);
	CHECK(rb_node, rb_left);
	CHECK(tlb_flush, end);
	CHECK(vmalloc_stats, flush_pages);
	CHECK(agent_variable, contents);
}

Test(types, members_are_where_DWARF_4_says)
{
	check_members(getenv("CLAIMS_PROGRAM_4"));
}

Test(types, members_are_where_DWARF_5_says)
{
	check_members(getenv("CLAIMS_PROGRAM_5"));
}

Test(types, a_structure_itself_has_its_size)
{
	struct type_member size;
	struct type_wanted wanted = { "vmap_area", NULL, &size };
	struct error error;

	cr_assert_eq(types_resolve(world_program(), &wanted, 1, &error), 0, "%s", error.text);
	cr_expect_eq(size.offset, 0);
	cr_expect_eq(size.size, sizeof(struct vmap_area));
}

Test(types, what_is_missing_is_named)
{
	struct type_member out[3];
	struct type_wanted wanted[] = { { "page", "owner", &out[0] },
					{ "page", "colour", &out[1] },
					{ "mud", NULL, &out[2] } };
	struct error error;

	cr_assert_eq(types_resolve(world_program(), wanted, 2, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect(strstr(error.text, "`struct page` with a member `colour`"), "%s", error.text);
	cr_assert_eq(types_resolve(world_program(), &wanted[2], 1, &error), -1);
	cr_expect(strstr(error.text, "no `struct mud`"), "%s", error.text);
}

Test(types, a_program_that_is_no_guest_has_no_claims)
{
	struct symbols *symbols;
	struct claims_layout *layout = NULL;
	struct error error;

	cr_assert_eq(symbols_open("/proc/self/exe", &symbols, &error), 0, "%s", error.text);
	cr_assert_eq(claims_layout_open("/proc/self/exe", symbols, &layout, &error), -1);
	cr_expect(strstr(error.text, "has no `mem_map`: not a kvmap guest?"), "%s", error.text);
	cr_expect_null(layout);
	symbols_close(symbols);
}
