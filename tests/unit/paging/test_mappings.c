/* SPDX-License-Identifier: MIT */
/*
 * test_mappings.c: memory by virtual address, for a core.
 */
#include "errors.h"
#include "no_memory.h"
#include "tables.h"

#include "paging/mappings.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>

static struct tables tables;
static struct mappings found;

static void make(void)
{
	tables_init(&tables, 4);
}

static void destroy(void)
{
	mappings_destroy(&found);
	tables_destroy(&tables);
}

TestSuite(mappings, .init = make, .fini = destroy);

static void collect(void)
{
	struct error error;

	cr_assert_eq(mappings_collect(&tables.view, &tables.mode, &found, &error), 0, "%s", error.text);
}

static void expect(size_t index, uint64_t gva, uint64_t gpa, uint64_t size, uint32_t flags)
{
	const struct core_mapping *mapping = &found.items[index];

	cr_assert_lt(index, found.count);
	cr_expect(mapping->gva == gva && mapping->gpa == gpa && mapping->size == size &&
			  mapping->flags == flags,
		  "%zu: expected 0x%lx -> 0x%lx, 0x%lx bytes, flags %u; found 0x%lx -> 0x%lx, 0x%lx, %u",
		  index, gva, gpa, size, flags, mapping->gva, mapping->gpa, mapping->size, mapping->flags);
}

Test(mappings, are_merged_while_both_addresses_and_rights_go_on)
{
	tables_map(&tables, VMALLOC, 0x100000, 1, PTE_W | PTE_NX);
	tables_map(&tables, VMALLOC + K4, 0x101000, 1, PTE_W | PTE_NX);
	tables_map(&tables, VMALLOC + 2 * K4, 0x102000, 1, PTE_NX);
	tables_map(&tables, VMALLOC + 3 * K4, 0x105000, 1, PTE_NX);
	tables_map(&tables, VMALLOC + 5 * K4, 0x106000, 1, 0);
	collect();
	cr_expect_eq(found.count, 4);
	expect(0, VMALLOC, 0x100000, 2 * K4, PF_R | PF_W);
	expect(1, VMALLOC + 2 * K4, 0x102000, K4, PF_R);
	expect(2, VMALLOC + 3 * K4, 0x105000, K4, PF_R);
	expect(3, VMALLOC + 5 * K4, 0x106000, K4, PF_R | PF_X);
}

Test(mappings, of_large_pages_go_on_in_small_ones)
{
	tables_map(&tables, VMALLOC, M2, 2, PTE_W | PTE_NX);
	tables_map(&tables, VMALLOC + M2, RAM_LOW_END, 1, PTE_W | PTE_NX); /* no memory there */
	tables_map(&tables, VMALLOC + 2 * M2, RAM_HIGH_START, 2, PTE_W | PTE_NX);
	tables_map(&tables, VMALLOC + 3 * M2, RAM_HIGH_START + M2, 1, PTE_W | PTE_NX);
	tables_map(&tables, VMALLOC + 8 * M2, RAM_HIGH_START - M2, 2,
		   PTE_W | PTE_NX); /* ends where memory begins */
	tables_map(&tables, VMALLOC + 9 * M2, RAM_HIGH_END, 2, PTE_W | PTE_NX);
	collect();
	cr_expect_eq(found.count, 2);
	expect(0, VMALLOC, M2, M2, PF_R | PF_W);
	expect(1, VMALLOC + 2 * M2, RAM_HIGH_START, M2 + K4, PF_R | PF_W);
}

Test(mappings, are_those_parts_of_a_large_page_that_are_memory)
{
	tables_map(&tables, 0xffff888000000000, 0, 3, PTE_NX);
	tables_map(&tables, 0xffff888040000000, G1, 3, PTE_NX);
	collect();
	cr_expect_eq(found.count, 2);
	expect(0, 0xffff888000000000, 0, RAM_LOW_END, PF_R);
	expect(1, 0xffff888000000000 + RAM_HIGH_START, RAM_HIGH_START, RAM_HIGH_END - RAM_HIGH_START, PF_R);
}

/* Each entry of a level leads to one table of the next level, `tables_gpa`, for the first `top` of the top. */
static void bush(uint64_t tables_gpa[3], unsigned int top)
{
	for (unsigned int i = 0; i < 3; i++)
		tables_gpa[i] = tables_new(&tables);
	for (unsigned int i = 0; i < 512; i++) {
		*tables_slot(&tables, tables.mode.root, i) = i < top ? tables_gpa[0] | PTE_P : 0;
		*tables_slot(&tables, tables_gpa[0], i) = tables_gpa[1] | PTE_P;
		*tables_slot(&tables, tables_gpa[1], i) = tables_gpa[2] | PTE_P;
	}
}

static void expect_failure(enum error_kind kind, int errnum, uint64_t address, const char *text)
{
	struct error error;

	cr_expect_eq(mappings_collect(&tables.view, &tables.mode, &found, &error), -1);
	expect_whole_error(&error, kind, errnum, address, text);
	cr_expect_leq(found.count, MAPPINGS_MAX);
	mappings_destroy(&found);
}

Test(mappings, of_tables_without_end_are_an_error)
{
	uint64_t tables_gpa[3];

	bush(tables_gpa, 512);
	expect_failure(ERROR_GUEST, 0, tables.mode.root,
		       "the guest's tables are more than its memory can hold, so they are damaged "
		       "(--physical does without them)");
	/* Frames run backwards, so that each page is a mapping. */
	for (unsigned int i = 0; i < 512; i++)
		*tables_slot(&tables, tables_gpa[2], i) = (511 - i) * K4 | PTE_P;
	expect_failure(ERROR_GUEST, 0, tables.mode.root,
		       "the guest maps more than 1048576 separate pieces of memory: damaged tables? "
		       "(--physical does without them)");
}

Test(mappings, may_be_as_many_as_their_maximum)
{
	uint64_t tables_gpa[3];

	/* 4 times 512 tables of 512 mappings. */
	bush(tables_gpa, 1);
	for (unsigned int i = 0; i < 512; i++) {
		*tables_slot(&tables, tables_gpa[2], i) = (511 - i) * K4 | PTE_P;
		*tables_slot(&tables, tables_gpa[0], i) *= i < 4;
	}
	collect();
	cr_expect_eq(found.count, MAPPINGS_MAX);
	mappings_destroy(&found);
	tables_map(&tables, VMALLOC, 0, 1, 0);
	expect_failure(ERROR_GUEST, 0, tables.mode.root,
		       "the guest maps more than 1048576 separate pieces of memory: damaged tables? "
		       "(--physical does without them)");
}

Test(mappings, without_memory_are_an_error)
{
	tables_map(&tables, VMALLOC, 0, 1, 0);
	no_memory_at(1);
	expect_failure(ERROR_HOST, ENOMEM, 0, "the guest's mappings");
	cr_expect(no_memory_failed());
	cr_expect(!found.items && !found.count && !found.capacity);
}
