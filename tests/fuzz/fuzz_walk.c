/* SPDX-License-Identifier: MIT */
/*
 * fuzz_walk.c: the bytes become a small guest memory full of tables. Whatever stands in them, the scan of a
 * range, its runs, the merged ranges and the translation of single addresses must say the same.
 *
 * Input: a byte of mode, a byte of physical bits, then records of 12 bytes: where (page, entry), how many
 * entries, and the first of them; each next one maps the next page.
 */
#include "fuzz.h"

#include "inspect/map_check.h"
#include "inspect/map_fold.h"
#include "paging/ranges.h"

#include <stdlib.h>
#include <string.h>

#define PAGE        0x1000ull
#define LOW_PAGES   24
#define HIGH_PAGES  8
#define HIGH_GPA    0x100000ull
#define RECORDS_MAX 256
#define CHECKED_MAX 3000

enum { MODE_5_LEVELS = 1, MODE_NX = 2, MODE_1G = 4 };

struct guest {
	struct view view;
	struct walk_mode mode;
	uint8_t *low, *high;
};

struct scan {
	const struct guest *guest;
	uint64_t leaves, in_runs;
	uint64_t next_gva; /* leaves come in order */
	uint64_t bytes;
	struct walk_run run; /* the latest; run_at: leaves of it that have come since */
	unsigned int run_at;
	bool first;
};

static uint8_t *memory_add(struct view *view, uint64_t gpa, uint64_t pages)
{
	uint8_t *bytes = aligned_alloc(PAGE, pages * PAGE);
	struct view_region region = { .gpa = gpa, .size = pages * PAGE, .bytes = bytes, .fd = -1 };
	struct error error;

	fuzz_expect(bytes && view_add_region(view, &region, &error) == 0);
	memset(bytes, 0, pages * PAGE);
	return bytes;
}

static void take_record(struct guest *guest, struct fuzz_input *input)
{
	uint64_t where = fuzz_number(input, 2), count = 1 + fuzz_number(input, 2) % 512;
	uint64_t page = (where & 0x7f) % (LOW_PAGES + HIGH_PAGES), entry = where >> 7;
	uint64_t value = fuzz_number(input, 8);
	uint8_t *bytes =
		page < LOW_PAGES ? guest->low + page * PAGE : guest->high + (page - LOW_PAGES) * PAGE;

	for (uint64_t i = 0; i < count && entry + i < 512; i++) {
		memcpy(bytes + (entry + i) * 8, &value, 8);
		value += PAGE;
	}
}

static void guest_create(struct guest *guest, struct fuzz_input *input)
{
	uint64_t mode = fuzz_number(input, 1);

	*guest = (struct guest){ 0 };
	guest->low = memory_add(&guest->view, 0, LOW_PAGES);
	guest->high = memory_add(&guest->view, HIGH_GPA, HIGH_PAGES);
	guest->mode = (struct walk_mode){
		.root = (mode >> 3) * PAGE, /* 24 and above are outside */
		.levels = mode & MODE_5_LEVELS ? 5 : 4,
		.nx = mode & MODE_NX,
		.pages_1g = mode & MODE_1G,
		.physical_bits = 32 + (unsigned int)fuzz_number(input, 1) % 21,
	};
	for (int i = 0; i < RECORDS_MAX && input->left; i++)
		take_record(guest, input);
}

static void guest_destroy(struct guest *guest)
{
	view_clear(&guest->view);
	free(guest->low);
	free(guest->high);
}

/* The leaf that the scan shows is what a single translation finds. */
static void expect_same_leaf(const struct guest *guest, const struct walk_leaf *leaf)
{
	uint64_t inside = leaf->gva + (leaf->size - 1) / 3;
	struct walk walk;

	walk_translate(&guest->view, &guest->mode, inside, &walk);
	fuzz_expect(walk.stop == WALK_MAPPED && walk.page_size == leaf->size && walk.rights == leaf->rights);
	fuzz_expect(walk.gpa == leaf->gpa + (inside - leaf->gva));
	fuzz_expect(walk.levels[walk.level_count - 1].entry == leaf->entry);
	fuzz_expect(walk.levels[walk.level_count - 1].table == leaf->table);
}

static int see_run(void *context, const struct walk_run *run)
{
	struct scan *scan = context;

	fuzz_expect(run->count >= 1 && run->count <= 512 && scan->run_at == scan->run.count);
	scan->run = *run;
	scan->run_at = 0;
	scan->in_runs += run->count;
	return 0;
}

static int see_leaf(void *context, const struct walk_leaf *leaf)
{
	struct scan *scan = context;
	const struct walk_run *run = &scan->run;

	fuzz_expect(scan->first || leaf->gva >= scan->next_gva);
	fuzz_expect(scan->run_at < run->count && leaf->gva == run->gva + scan->run_at * run->size);
	fuzz_expect(leaf->size == run->size && leaf->rights == run->rights && leaf->level == run->level);
	fuzz_expect(leaf->entry == run->entries[scan->run_at] && leaf->table == run->table);
	fuzz_expect(leaf->gpa == walk_leaf_gpa(leaf->entry, leaf->size));
	scan->run_at++;
	scan->first = false;
	scan->next_gva = leaf->gva + leaf->size; /* 0 at the very end: nothing may follow */
	scan->bytes += leaf->size;
	if (scan->leaves++ < CHECKED_MAX)
		expect_same_leaf(scan->guest, leaf);
	return 0;
}

static int see_damage(void *context, const struct walk_leaf *entry, enum walk_stop stop)
{
	const struct scan *scan = context;
	struct walk walk;

	walk_translate(&scan->guest->view, &scan->guest->mode, entry->gva, &walk);
	fuzz_expect(walk.stop == stop);
	if (walk.level_count)
		fuzz_expect(walk.levels[walk.level_count - 1].entry == entry->entry);
	return 0;
}

static void check_ranges(const struct guest *guest, const struct scan *scan, bool whole)
{
	struct ranges ranges = { 0 };
	uint64_t leaves = 0, bytes = 0;
	struct error error;

	fuzz_expect(ranges_collect(&guest->view, &guest->mode, 0, ~0ull, NULL, 0, &ranges, &error) == 0);
	for (size_t i = 0; i < ranges.count; i++) {
		const struct range *range = &ranges.items[i];

		fuzz_expect(range->runs >= 1 && range->runs <= range->leaves);
		fuzz_expect(range->size == range->leaves * range->page_size);
		fuzz_expect(!i || range->gva > ranges.items[i - 1].gva);
		leaves += range->leaves;
		bytes += range->size;
	}
	fuzz_expect(leaves == ranges.leaves);
	if (whole && !ranges.cut_short)
		fuzz_expect(leaves == scan->leaves && bytes == scan->bytes);
	ranges_destroy(&ranges);
}

/* Every range is in one line, and what is wrong is in memory and mapped as said. */
static void check_map(const struct guest *guest)
{
	static const struct map_filter all = { .end = UINT64_MAX };
	struct map_violations violations;
	struct memory_map map;
	struct map_lines lines;
	struct map_direct direct;
	struct ranges ranges;
	struct error error;
	uint64_t items = 0;

	fuzz_expect(ranges_collect(&guest->view, &guest->mode, 0, ~0ull, NULL, 0, &ranges, &error) == 0);
	direct = map_direct(&ranges, &guest->view, NULL);
	fuzz_expect(map_build(&ranges, &direct, NULL, NULL, &all, &map, &error) == 0);
	fuzz_expect(map_fold(&map, true, &lines, &error) == 0);
	fuzz_expect(map_check(&(struct map_check_input){ &guest->view, &guest->mode, 0, ~0ull, &ranges,
							 &ranges, &direct, NULL },
			      &violations, &error) == 0);
	for (size_t i = 0; i < lines.count; i++)
		items += lines.items[i].alike ? lines.items[i].alike
					      : lines.items[i].period * lines.items[i].times;
	fuzz_expect(items == ranges.count && map.items.count == ranges.count);
	for (size_t i = 0; i < violations.count; i++) {
		const struct map_violation *violation = &violations.items[i];
		struct walk walk;

		walk_translate(&guest->view, &guest->mode, violation->by[0].at, &walk);
		fuzz_expect(walk.stop == WALK_MAPPED && walk.gpa == violation->gpa &&
			    walk.rights == violation->by[0].rights);
	}
	map_violations_destroy(&violations);
	map_lines_destroy(&lines);
	map_destroy(&map);
	ranges_destroy(&ranges);
}

static void check_read(const struct guest *guest, uint64_t gva)
{
	uint8_t bytes[3 * PAGE];
	struct error error = { .address = gva };

	if (walk_read(&guest->view, &guest->mode, gva, bytes, sizeof(bytes), &error) < 0)
		fuzz_expect(error.address - gva < sizeof(bytes) || !error.address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct guest guest;
	struct scan scan = { .guest = &guest, .first = true };
	const struct walk_visitor visitor = {
		.context = &scan, .leaf = see_leaf, .run = see_run, .damage = see_damage
	};
	uint64_t probe = 0; /* an address that the input itself names */
	int result;

	guest_create(&guest, &input);
	if (size >= sizeof(probe))
		memcpy(&probe, data + size - sizeof(probe), sizeof(probe));
	result = walk_range(&guest.view, &guest.mode, 0, ~0ull, 0, &visitor);
	fuzz_expect(result == 0 || result == -1);
	fuzz_expect(scan.in_runs == scan.leaves);
	check_ranges(&guest, &scan, result == 0);
	check_map(&guest);
	check_read(&guest, probe);
	check_read(&guest, probe | 0xffff800000000000);
	guest_destroy(&guest);
	return 0;
}
