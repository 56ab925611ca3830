/* SPDX-License-Identifier: MIT */
/*
 * walk.c: one translation at a time.
 */
#include "paging/walk.h"

#include "base/page.h"
#include "paging/pte.h"

#include <inttypes.h>

/* A core file may place guest memory at any offset, so the entry need not be aligned in this process. */
typedef uint64_t entry_in_memory __attribute__((aligned(1), may_alias));

int walk_mode_of_cpu(const struct view *view, unsigned int cpu, struct walk_mode *out, struct error *error)
{
	const struct view_cpu *registers;

	if (cpu >= view->cpu_count)
		return error_set(error, ERROR_INPUT, 0, 0, "there is no CPU %u: the guest has %u", cpu,
				 view->cpu_count);
	registers = &view->cpus[cpu];
	if (~registers->cr0 & (CR0_PE | CR0_PG) || !(registers->cr4 & CR4_PAE) ||
	    !(registers->efer & EFER_LMA))
		return error_set(error, ERROR_GUEST, 0, registers->cr3,
				 "CPU %u is not in long mode with paging (CR0 0x%" PRIx64 ", CR4 0x%" PRIx64
				 ", EFER 0x%" PRIx64 ")",
				 cpu, registers->cr0, registers->cr4, registers->efer);
	*out = (struct walk_mode){
		.root = registers->cr3 & PTE_ADDRESS,
		.levels = registers->cr4 & CR4_LA57 ? 5 : 4,
		.physical_bits = view->physical_bits,
		.nx = registers->efer & EFER_NXE,
		.pages_1g = view->pages_1g,
		.keys = registers->cr4 & (CR4_PKE | CR4_PKS),
	};
	return 0;
}

int walk_mode_find(const struct view *view, unsigned int *cpu_out, struct walk_mode *out, struct error *error)
{
	struct error ignored;

	*cpu_out = 0;
	if (walk_mode_of_cpu(view, 0, out, error) == 0)
		return 0;
	for (unsigned int cpu = 1; cpu < view->cpu_count; cpu++) {
		*cpu_out = cpu;
		if (walk_mode_of_cpu(view, cpu, out, &ignored) == 0)
			return 0;
	}
	*cpu_out = 0;
	return -1;
}

/* Once: a guest that runs may change the entry at any moment. */
static uint64_t entry_read(const uint8_t *table, unsigned int index)
{
	return *(const volatile entry_in_memory *)(table + index * sizeof(uint64_t));
}

/* The reason why the walk ends at the entry that was read, or WALK_MAPPED. */
static enum walk_stop level_check(const struct walk_mode *mode, struct walk_level *step)
{
	if (!(step->entry & PTE_P))
		return WALK_NOT_PRESENT;
	step->is_page = entry_is_page(mode, step->level, step->entry);
	step->reserved = step->entry & entry_reserved(mode, step->level, step->is_page);
	if (step->reserved)
		return WALK_RESERVED_BIT;
	step->rights = entry_rights(step->entry, step->rights);
	return WALK_MAPPED;
}

static void walk_end(const struct walk_mode *mode, struct walk *walk, const struct walk_level *page)
{
	walk->page_size = page_level_size(page->level);
	walk->gpa = walk_leaf_gpa(page->entry, walk->page_size) | (walk->gva & (walk->page_size - 1));
	walk->rights = page->rights;
	walk->pat_index = entry_pat_index(page->level, page->entry);
	walk->key = mode->keys ? entry_key(page->entry) : 0;
}

void walk_translate(const struct view *view, const struct walk_mode *mode, uint64_t gva, struct walk *out)
{
	uint64_t table = mode->root;
	unsigned int rights = RIGHTS_ALL;

	*out = (struct walk){ .gva = gva, .stop = WALK_NOT_CANONICAL };
	if (linear_extend(mode, gva) != gva)
		return;
	for (unsigned int level = mode->levels;; level--) {
		const uint8_t *bytes = view_bytes(view, table, PAGE_4K);
		struct walk_level *step = &out->levels[out->level_count];
		unsigned int index = page_level_index(gva, level);

		if (!bytes) {
			out->stop = WALK_TABLE_OUTSIDE;
			return;
		}
		*step = (struct walk_level){
			.level = level, .index = index, .table = table, .rights = rights
		};
		step->entry = entry_read(bytes, index);
		out->stop = level_check(mode, step);
		out->level_count++;
		if (out->stop == WALK_MAPPED && step->is_page)
			walk_end(mode, out, step);
		if (out->stop != WALK_MAPPED || step->is_page)
			return;
		rights = step->rights;
		table = step->entry & PTE_ADDRESS;
	}
}

const char *walk_stop_text(enum walk_stop stop)
{
	switch (stop) {
	case WALK_MAPPED: return "mapped";
	case WALK_NOT_CANONICAL: return "address not canonical";
	case WALK_NOT_PRESENT: return "not present";
	case WALK_RESERVED_BIT: return "reserved bit set";
	case WALK_TABLE_OUTSIDE: return "table outside guest memory";
	}
	return "unknown";
}

int walk_read(const struct view *view, const struct walk_mode *mode, uint64_t gva, void *out, size_t size,
	      struct error *error)
{
	uint8_t *to = out;

	while (size) {
		struct walk walk;
		struct error nowhere;
		uint64_t left;
		size_t part;

		walk_translate(view, mode, gva, &walk);
		if (walk.stop != WALK_MAPPED)
			return error_set(error, ERROR_GUEST, 0, gva, "0x%" PRIx64 " is not mapped: %s", gva,
					 walk_stop_text(walk.stop));
		left = walk.page_size - (gva & (walk.page_size - 1));
		part = size < left ? size : left;
		if (view_read(view, walk.gpa, to, part, &nowhere) < 0)
			return error_set(error, ERROR_GUEST, 0, gva + (nowhere.address - walk.gpa),
					 "0x%" PRIx64 " is mapped to GPA 0x%" PRIx64
					 ", where there is no memory",
					 gva + (nowhere.address - walk.gpa), nowhere.address);
		to += part;
		size -= part;
		gva += part;
		if (size && !gva)
			return error_set(error, ERROR_GUEST, 0, 0, "the bytes wrap around the address space");
	}
	return 0;
}
