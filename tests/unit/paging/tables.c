/* SPDX-License-Identifier: MIT */
/*
 * tables.c: page tables made in a test.
 */
#include "tables.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static uint8_t *ram_add(struct view *view, uint64_t gpa, uint64_t size)
{
	uint8_t *bytes = aligned_alloc(K4, size);
	struct view_region region = { .gpa = gpa, .size = size, .bytes = bytes, .fd = -1 };
	struct error error;

	cr_assert_not_null(bytes);
	memset(bytes, 0, size);
	cr_assert_eq(view_add_region(view, &region, &error), 0, "%s", error.text);
	return bytes;
}

void tables_init(struct tables *tables, unsigned int levels)
{
	struct error error;

	*tables = (struct tables){ .view.physical_bits = 46 };
	cr_assert_eq(view_set_cpus(&tables->view, TABLES_CPUS, &error), 0, "%s", error.text);
	tables->view.cpu_count = 0;
	tables->low = ram_add(&tables->view, 0, RAM_LOW_END);
	tables->high = ram_add(&tables->view, RAM_HIGH_START, RAM_HIGH_END - RAM_HIGH_START);
	tables->next = K4; /* a table at 0 would hide mistakes */
	tables->mode =
		(struct walk_mode){ .levels = levels, .physical_bits = 46, .nx = true, .pages_1g = true };
	tables->mode.root = tables_new(tables);
}

void tables_destroy(struct tables *tables)
{
	view_clear(&tables->view);
	free(tables->low);
	free(tables->high);
}

uint64_t tables_new(struct tables *tables)
{
	cr_assert_lt(tables->next, RAM_LOW_END, "the test needs more tables than there is memory");
	tables->next += K4;
	return tables->next - K4;
}

uint64_t *tables_slot(struct tables *tables, uint64_t table, unsigned int index)
{
	uint8_t *bytes = table < RAM_LOW_END ? tables->low + table : tables->high + (table - RAM_HIGH_START);

	cr_assert_not_null(view_bytes(&tables->view, table, K4));
	return (uint64_t *)(void *)bytes + index;
}

uint64_t *tables_entry(struct tables *tables, uint64_t gva, unsigned int level)
{
	uint64_t table = tables->mode.root;

	for (unsigned int at = tables->mode.levels;; at--) {
		uint64_t *entry = tables_slot(tables, table, gva >> (12 + 9 * (at - 1)) & 511);

		if (at == level)
			return entry;
		if (!*entry)
			*entry = tables_new(tables) | PTE_P | PTE_W | PTE_U;
		table = *entry & PTE_ADDRESS;
	}
}

void tables_map(struct tables *tables, uint64_t gva, uint64_t gpa, unsigned int level, uint64_t flags)
{
	*tables_entry(tables, gva, level) = gpa | flags | PTE_P | (level > 1 ? PTE_PS : 0);
}

void tables_map_pages(struct tables *tables, uint64_t gva, uint64_t gpa, unsigned int count, uint64_t flags)
{
	for (uint64_t offset = 0; offset < count * K4; offset += K4)
		tables_map(tables, gva + offset, gpa + offset, 1, flags);
}

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}
