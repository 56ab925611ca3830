/* SPDX-License-Identifier: MIT */
/* Every root and member that the claims are read by is where the compiler puts it. */
#include "claims/layout.h"
#include "agent/agent.h"
#include "agent/variables.h"
#include "arch/x86_64/percpu.h"
#include "mm/page/frames.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmalloc.h"
#include "no_memory.h"

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
	cr_expect_str_eq(error.text, "/proc/self/exe has no `mem_map`: not a kvmap guest?");
	cr_expect(error.kind == ERROR_INPUT && !error.errnum && !error.address);
	cr_expect_null(layout);
	symbols_close(symbols);
}

/* The program of broken.c with that number is refused; `text` follows the file's name. */
static void expect_refused(unsigned int broken, const char *text)
{
	struct claims_layout *layout = NULL;
	struct symbols *symbols;
	struct error error;
	char variable[32];

	snprintf(variable, sizeof(variable), "CLAIMS_PROGRAM_BROKEN_%u", broken);
	cr_assert_not_null(getenv(variable));
	cr_assert_eq(symbols_open(getenv(variable), &symbols, &error), 0, "%s", error.text);
	cr_assert_eq(claims_layout_open(symbols, &layout, &error), -1, "%s", text);
	cr_expect(error.kind == ERROR_INPUT && !error.errnum);
	cr_expect_str_eq(strstr(error.text, ": ") + 2, text);
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
	expect_refused(5, "`zones` has 34 elements (5984 bytes), and this kvmap reads 32 at most "
			  "(KVMAP_ZONES_MAX): build kvmap and its guest from the same source");
}

Test(layout, memory_that_runs_out_is_an_error)
{
	struct claims_layout *layout = NULL;
	struct symbols *symbols;
	struct error error;

	cr_assert_eq(symbols_open(getenv("CLAIMS_PROGRAM_5"), &symbols, &error), 0, "%s", error.text);
	no_memory_at(1);
	cr_expect_eq(claims_layout_open(symbols, &layout, &error), -1);
	cr_expect(no_memory_failed() && !layout);
	cr_expect(error.kind == ERROR_HOST && !error.errnum && !error.address);
	cr_expect_str_eq(error.text, "out of memory");
	symbols_close(symbols);
}

/* ---- sizes of a layout that is else that of a guest ---- */

static struct claims_layout good, changed;

static void read_good(void)
{
	struct claims_layout *layout;
	struct symbols *symbols;
	struct error error;

	cr_assert_eq(symbols_open(getenv("CLAIMS_PROGRAM_5"), &symbols, &error), 0, "%s", error.text);
	cr_assert_eq(claims_layout_open(symbols, &layout, &error), 0, "%s", error.text);
	good = changed = *layout;
	claims_layout_close(layout);
	symbols_close(symbols);
}

TestSuite(layout_sizes, .init = read_good);

/* layout_check() of `changed`, which is then the good layout again. `text` NULL: there is no error. */
static void expect_check(uint64_t address, const char *text)
{
	struct error error = { .text = "guest: no error" };
	int result = layout_check(&changed, "guest", &error);

	cr_expect_eq(result, text ? -1 : 0, "%s", error.text);
	if (text) {
		cr_expect_str_eq(error.text + strlen("guest: "), text);
		cr_expect(error.kind == ERROR_INPUT && !error.errnum && error.address == address, "%s", text);
	}
	changed = good;
}

Test(layout_sizes, of_roots)
{
	static const uint64_t sizes[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 16 };
	char text[100];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bool possible = sizes[i] && sizes[i] <= 8 && !(sizes[i] & (sizes[i] - 1));

		snprintf(text, sizeof(text), "`max_pfn` has an impossible size, %u bytes: not a kvmap guest?",
			 (unsigned int)sizes[i]);
		changed.roots[ROOT_max_pfn].size = sizes[i];
		expect_check(good.roots[ROOT_max_pfn].gva, possible ? NULL : text);
	}
	changed.roots[ROOT_tlb_stats].size = 0;
	expect_check(good.roots[ROOT_tlb_stats].gva,
		     "`tlb_stats` has an impossible size, 0 bytes: not a kvmap guest?");
	changed.roots[ROOT_tlb_stats].gva = UINT64_MAX - good.roots[ROOT_tlb_stats].size;
	expect_check(0, NULL);
	changed.roots[ROOT_tlb_stats].gva = UINT64_MAX - good.roots[ROOT_tlb_stats].size + 1;
	expect_check(UINT64_MAX - good.roots[ROOT_tlb_stats].size + 1,
		     "`tlb_stats` has an impossible size, 24 bytes: not a kvmap guest?");
}

Test(layout_sizes, of_structures_and_members)
{
	static const struct {
		enum claim_type type;
		unsigned int offset, size;
		const char *text;
	} cases[] = {
		{ TYPE_page, 0, CLAIM_STRUCTURE_MAX, NULL },
		{ TYPE_page, 0, CLAIM_STRUCTURE_MAX + 1, "`struct page` has an impossible size" },
		{ TYPE_page, 0, 0, "`struct page` has an impossible size" },
		{ MEMBER_page_order, 0, 3, "`struct page`, member order has an impossible size" },
		{ MEMBER_page_order, 0, 0, "`struct page`, member order has an impossible size" },
		{ MEMBER_page_order, sizeof(struct page) - 2, 2, NULL },
		{ MEMBER_page_order, sizeof(struct page) - 1, 2,
		  "`struct page`, member order has an impossible size" },
		{ MEMBER_page_order, sizeof(struct page) + 1, 2,
		  "`struct page`, member order has an impossible size" },
		{ MEMBER_zone_free_area, 0, 0, "`struct zone`, member free_area has an impossible size" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		changed.types[cases[i].type] = (struct type_member){ cases[i].offset, cases[i].size };
		expect_check(0, cases[i].text);
	}
}

Test(layout_sizes, of_structures_that_have_two)
{
	static const enum claim_type members[] = {
		MEMBER_vmap_area_rb_node, MEMBER_cpu_cache_pcp,   MEMBER_cpu_cache_pcp_zero,
		MEMBER_cpu_cache_lazy,    MEMBER_cpu_cache_stats,
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		changed.types[members[i]].size--;
		expect_check(0, "its symbols and its debug information disagree");
	}
	changed.roots[ROOT_memblock].size++;
	expect_check(0, "its symbols and its debug information disagree");
	changed.roots[ROOT_agent].size--;
	expect_check(0, "its symbols and its debug information disagree");
}

/* The error for an array of `bytes` bytes. */
static void expect_array_refused(const char *name, uint64_t bytes, uint64_t element_size, unsigned int most,
				 const char *most_name)
{
	char text[240];

	snprintf(text, sizeof(text),
		 "`%s` has %llu elements (%llu bytes), and this kvmap reads %u at most (%s): build kvmap and "
		 "its guest from the same source",
		 name, (unsigned long long)(bytes / element_size), (unsigned long long)bytes, most,
		 most_name);
	expect_check(0, text);
}

Test(layout_sizes, of_arrays_that_are_roots)
{
	static const struct {
		enum claim_root root;
		uint64_t element_size;
		unsigned int most;
		const char *name, *most_name;
	} arrays[] = {
		{ ROOT_zones, sizeof(struct zone), KVMAP_ZONES_MAX, "zones", "KVMAP_ZONES_MAX" },
		{ ROOT_kmem_caches, 8, KVMAP_KMEM_CACHES_MAX, "kmem_caches", "KVMAP_KMEM_CACHES_MAX" },
		{ ROOT_cpu_caches, sizeof(struct cpu_cache), KVMAP_CPUS_MAX, "cpu_caches", "KVMAP_CPUS_MAX" },
		{ ROOT_cpus, sizeof(struct cpu), KVMAP_CPUS_MAX, "cpus", "KVMAP_CPUS_MAX" },
		{ ROOT_agent_inside, 4, KVMAP_CPUS_MAX, "agent_inside", "KVMAP_CPUS_MAX" },
		{ ROOT_agent_variables, sizeof(struct agent_variable), KVMAP_VARIABLES_MAX, "agent_variables",
		  "KVMAP_VARIABLES_MAX" },
	};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		const uint64_t most = arrays[i].most * arrays[i].element_size;
		const uint64_t refused[] = { most + arrays[i].element_size, most - 1,
					     arrays[i].element_size - 1 };

		changed.roots[arrays[i].root].size = most;
		expect_check(0, NULL);
		for (size_t j = 0; j < sizeof(refused) / sizeof(refused[0]); j++) {
			changed.roots[arrays[i].root].size = refused[j];
			expect_array_refused(arrays[i].name, refused[j], arrays[i].element_size,
					     arrays[i].most, arrays[i].most_name);
		}
	}
}

Test(layout_sizes, of_arrays_that_are_members)
{
	static const struct {
		enum claim_type member;
		uint32_t element_size;
		unsigned int most;
		const char *name, *most_name;
	} arrays[] = {
		{ MEMBER_zone_free_area, sizeof(struct free_area), MAX_ORDER + 1, "zone.free_area",
		  "MAX_ORDER + 1" },
		{ MEMBER_memblock_memory, sizeof(struct memblock_region), KVMAP_MEMBLOCK_REGIONS_MAX,
		  "memblock.memory", "KVMAP_MEMBLOCK_REGIONS_MAX" },
		{ MEMBER_memblock_reserved, sizeof(struct memblock_region), KVMAP_MEMBLOCK_REGIONS_MAX,
		  "memblock.reserved", "KVMAP_MEMBLOCK_REGIONS_MAX" },
		{ MEMBER_cpu_cache_objects, sizeof(struct kmem_list), KVMAP_KMEM_CACHES_MAX,
		  "cpu_cache.objects", "KVMAP_KMEM_CACHES_MAX" },
		{ MEMBER_cpu_cache_vm_stat, 8, NR_VM_STAT_ITEMS, "cpu_cache.vm_stat", "NR_VM_STAT_ITEMS" },
	};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		const uint32_t more = (arrays[i].most + 1) * arrays[i].element_size;

		/* At offset 0 there is room for one element more. */
		changed.types[arrays[i].member] =
			(struct type_member){ 0, arrays[i].most * arrays[i].element_size };
		expect_check(0, NULL);
		changed.types[arrays[i].member] = (struct type_member){ 0, more };
		expect_array_refused(arrays[i].name, more, arrays[i].element_size, arrays[i].most,
				     arrays[i].most_name);
	}
}
