/* SPDX-License-Identifier: MIT */
/*
 * map_check.c: checks in two scans, after one of the tables alone. The first sets bits per frame: mapped, mapped
 * again, writable, executable. Most guests have no suspicious frame, and the check ends there. The second scan
 * collects all mappings of the suspicious frames, from which the violations are built.
 */
#include "inspect/map_check.h"

#include "base/array.h"
#include "inspect/frame_bits.h"
#include "inspect/map_exact.h"
#include "inspect/map_images.h"

#include <errno.h>
#include <stdlib.h>

/* Limit of collected mappings of suspicious frames. */
#define MAPPINGS_MAX (1u << 20)

/* Limit of the first scan: mappings per frame on average. Legitimate aliases stay far below it. */
#define FRAMES_AGAIN_MAX 64

/*
 * A table of which each page is mapped twice beyond the direct map, where it may be mapped once: more visits show
 * nothing else.
 */
#define TABLE_VISITS 3

enum check_stop { CHECK_NO_MEMORY = WALK_NO_MEMORY, CHECK_FULL = 2 };

/* One mapping of one frame. */
struct mapping {
	uint64_t gpa, gva;
	unsigned int rights;
	bool direct, image;
	bool table; /* the frame is a page table */
};

struct mappings {
	ARRAY_OF(struct mapping);
};

struct claimed {
	uint64_t start, end;
};

struct check {
	struct frame_index index;
	uint64_t *mapped, *again; /* bit per frame: mapped outside the direct map once, twice or more */
	uint64_t *writable, *executable; /* bit per frame: by any mapping; executable: in supervisor mode */
	uint64_t *tables;                /* bit per frame: it is a page table */
	uint64_t *writable_beyond;       /* the same as writable, but not by the direct map or an image */
	const struct map_direct *direct;
	struct map_images images;
	ARRAY_OF(struct claimed) claimed; /* live areas with VM_MAP, by address */
	size_t next_claimed;  /* the first that ends above the last address passed to is_claimed() */
	uint64_t frames_left; /* until the limit of the first scan */
	struct mappings mappings;
	struct map_violations *violations;
};

static int compare_claimed(const void *a, const void *b)
{
	uint64_t first = ((const struct claimed *)a)->start, second = ((const struct claimed *)b)->start;

	return first < second ? -1 : first > second;
}

static int collect_claimed(struct check *check, const struct claims *claims)
{
	for (size_t i = 0; claims && i < claims->areas.count; i++) {
		const struct claim_area *area = &claims->areas.items[i];
		struct claimed claimed = { area->va_start, area->va_end };

		if (area->state == AREA_LIVE && area->flags & VM_MAP &&
		    array_push(&check->claimed, claimed) < 0)
			return -1;
	}
	if (check->claimed.count)
		qsort(check->claimed.items, check->claimed.count, sizeof(struct claimed), compare_claimed);
	return 0;
}

/* Whether gva is in an area with VM_MAP. gva must not decrease from call to call. */
static bool is_claimed(struct check *check, uint64_t gva)
{
	while (check->next_claimed < check->claimed.count &&
	       check->claimed.items[check->next_claimed].end <= gva)
		check->next_claimed++;
	return check->next_claimed < check->claimed.count &&
	       gva >= check->claimed.items[check->next_claimed].start;
}

static bool is_direct(const struct check *check, uint64_t gva, uint64_t gpa)
{
	return check->direct->found && gva - gpa == check->direct->base;
}

/* ---- the page tables ---- */

static int mark_table(void *context, uint64_t gpa, unsigned int level, uint64_t gva)
{
	struct check *check = context;
	uint64_t first, count, next;

	(void)level;
	(void)gva;
	if (frame_bits_next(&check->index, gpa, gpa + PAGE_4K, &first, &count, &next))
		frame_bits_set(check->tables, NULL, first, count);
	return 0;
}

/* Marks the tables of the whole guest: those of a part of it may be mapped anywhere. Level 1 is not read. */
static int mark_tables(struct check *check, const struct map_check_input *input)
{
	const struct walk_visitor visitor = { .context = check, .table = mark_table, .visits = 1 };
	int stop = walk_range(input->view, input->mode, 0, UINT64_MAX, 0, &visitor);

	check->violations->cut_short = stop != 0;
	return stop == WALK_NO_MEMORY ? CHECK_NO_MEMORY : 0;
}

/* ---- the first scan ---- */

static int mark_leaf(struct check *check, uint64_t gva, uint64_t gpa, uint64_t size, unsigned int rights)
{
	bool direct = is_direct(check, gva, gpa), counts = !is_claimed(check, gva) && !direct;
	bool beyond = rights & RIGHT_W && !direct && !map_images_have(&check->images, gva - gpa);
	uint64_t first, count, end = gpa + size; /* cannot wrap: an entry has 52 bits of address */

	while (frame_bits_next(&check->index, gpa, end, &first, &count, &gpa)) {
		if (rights & RIGHT_W)
			frame_bits_set(check->writable, NULL, first, count);
		if (rights & RIGHT_X && !(rights & RIGHT_U))
			frame_bits_set(check->executable, NULL, first, count);
		if (beyond)
			frame_bits_set(check->writable_beyond, NULL, first, count);
		if (!counts)
			continue;
		if (count > check->frames_left)
			return CHECK_FULL;
		check->frames_left -= count;
		frame_bits_set(check->mapped, check->again, first, count);
	}
	return 0;
}

static int mark_run(void *context, const struct walk_run *run)
{
	struct check *check = context;
	int stop = 0;

	for (unsigned int i = 0; i < run->count && !stop; i++)
		stop = mark_leaf(check, run->gva + i * run->size, walk_leaf_gpa(run->entries[i], run->size),
				 run->size, run->rights);
	return stop;
}

/* Number of frames that are mapped beyond the direct map. */
static uint64_t count_mapped(const struct check *check)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i <= check->index.bits / 64; i++)
		count += (uint64_t)__builtin_popcountll(check->mapped[i]);
	return count;
}

/* ---- the second scan ---- */

static int skip_table(void *context, const struct walk_table *table)
{
	struct check *check = context;

	(void)table;
	check->violations->at_least = true;
	return 0;
}

/* Turns `again` into the set of suspicious frames. True if there are any. */
static bool find_suspicious(struct check *check)
{
	uint64_t any = 0;

	for (uint64_t i = 0; i <= check->index.bits / 64; i++) {
		check->again[i] |= (check->writable[i] & check->executable[i]) |
				   (check->tables[i] & check->writable_beyond[i]);
		any |= check->again[i];
	}
	return any;
}

static int collect_leaf(struct check *check, uint64_t gva, uint64_t gpa, uint64_t size, unsigned int rights)
{
	uint64_t first, count, next, start = gpa, end = gpa + size;
	bool direct = is_direct(check, gva, gpa), image = map_images_have(&check->images, gva - gpa);

	for (; frame_bits_next(&check->index, start, end, &first, &count, &next); start = next) {
		uint64_t base = next - count * PAGE_4K; /* GPA of `first` */

		for (uint64_t bit = frame_bits_find(check->again, first, first + count); bit < first + count;
		     bit = frame_bits_find(check->again, bit + 1, first + count)) {
			uint64_t frame = base + (bit - first) * PAGE_4K;
			struct mapping mapping = {
				.gpa = frame,
				.gva = gva + (frame - gpa),
				.rights = rights,
				.direct = direct,
				.image = image,
				.table = frame_bits_find(check->tables, bit, bit + 1) == bit,
			};

			if (check->mappings.count == MAPPINGS_MAX)
				return CHECK_FULL;
			if (array_push(&check->mappings, mapping) < 0)
				return CHECK_NO_MEMORY;
		}
	}
	return 0;
}

static int collect_run(void *context, const struct walk_run *run)
{
	struct check *check = context;
	int stop = 0;

	for (unsigned int i = 0; i < run->count && !stop; i++)
		stop = collect_leaf(check, run->gva + i * run->size,
				    walk_leaf_gpa(run->entries[i], run->size), run->size, run->rights);
	return stop;
}

/* ---- violations ---- */

static int compare_mappings(const void *a, const void *b)
{
	const struct mapping *first = a, *second = b;

	if (first->gpa != second->gpa)
		return first->gpa < second->gpa ? -1 : 1;
	return first->gva < second->gva ? -1 : first->gva > second->gva;
}

static void set_by(struct map_violation *violation, const struct mapping *first, const struct mapping *second)
{
	violation->by[0].at = first->gva;
	violation->by[0].rights = first->rights;
	violation->by[1].at = second->gva;
	violation->by[1].rights = second->rights;
}

/*
 * Checks the `count` mappings of one frame. False if they have no violation; single mappings that are
 * writable and executable are left to check_ranges().
 */
static bool check_frame(const struct mapping *mappings, size_t count, struct map_violation *out)
{
	const struct mapping *writable = NULL, *executable = NULL, *beyond[2] = { NULL, NULL };
	uint64_t beyond_count = 0;

	for (size_t i = 0; i < count; i++) {
		const struct mapping *mapping = &mappings[i];
		bool both = mapping->rights & RIGHT_W && mapping->rights & RIGHT_X;

		if (!mapping->direct && beyond_count++ < 2)
			beyond[beyond_count - 1] = mapping;
		if (!both && mapping->rights & RIGHT_W && (!writable || writable->direct))
			writable = mapping;
		if (!both && mapping->rights & RIGHT_X && (!executable || executable->rights & RIGHT_U))
			executable = mapping;
	}
	*out = (struct map_violation){ .gpa = mappings->gpa, .size = PAGE_4K };
	if (writable && executable && !(writable->direct && executable->rights & RIGHT_U)) {
		out->fault = MAP_WRITABLE_ELSEWHERE;
		out->mappings = count;
		set_by(out, executable, writable);
		return true;
	}
	if (beyond_count < 2)
		return false;
	out->fault = MAP_ALIAS;
	out->mappings = beyond_count;
	set_by(out, beyond[0], beyond[1]);
	return true;
}

/* Checks the `count` mappings of one frame for writable ones of a page table. */
static bool check_table(const struct mapping *mappings, size_t count, struct map_violation *out)
{
	const struct mapping *writable[2] = { NULL, NULL };
	uint64_t writable_count = 0;

	for (size_t i = 0; i < count; i++) {
		const struct mapping *mapping = &mappings[i];

		if (mapping->table && mapping->rights & RIGHT_W && !mapping->direct && !mapping->image &&
		    writable_count++ < 2)
			writable[writable_count - 1] = mapping;
	}
	if (!writable_count)
		return false;
	*out = (struct map_violation){
		.fault = MAP_TABLE_WRITABLE,
		.gpa = mappings->gpa,
		.size = PAGE_4K,
		.mappings = writable_count,
		.by = { { writable[0]->gva, writable[0]->rights } },
	};
	if (writable[1])
		set_by(out, writable[0], writable[1]);
	return true;
}

/* Whether `next` continues `last`: the same violation of the next frame. */
static bool goes_on(const struct map_violation *last, const struct map_violation *next)
{
	return last->fault == next->fault && last->mappings == next->mappings &&
	       last->gpa + last->size == next->gpa && last->by[0].at + last->size == next->by[0].at &&
	       (map_violation_places(next) == 1 || last->by[1].at + last->size == next->by[1].at) &&
	       last->by[0].rights == next->by[0].rights && last->by[1].rights == next->by[1].rights;
}

static int check_mappings(struct check *check)
{
	const struct mapping *items = check->mappings.items;
	struct map_violations *violations = check->violations;
	size_t end, before = violations->count;

	if (check->mappings.count)
		qsort(check->mappings.items, check->mappings.count, sizeof(*items), compare_mappings);
	for (size_t i = 0; i < check->mappings.count; i = end) {
		struct map_violation violation;

		for (end = i + 1; end < check->mappings.count && items[end].gpa == items[i].gpa;)
			end++;
		/* An alias of a page table that can be written is reported as that. */
		if (!check_table(&items[i], end - i, &violation) &&
		    !check_frame(&items[i], end - i, &violation))
			continue;
		if (violations->count > before &&
		    goes_on(&violations->items[violations->count - 1], &violation))
			violations->items[violations->count - 1].size += violation.size;
		else if (array_push(violations, violation) < 0)
			return CHECK_NO_MEMORY;
	}
	return 0;
}

/* Reports the ranges that are writable and executable. */
static int check_ranges(struct check *check, const struct map_check_input *input)
{
	const struct ranges *ranges = input->ranges;

	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *range = &ranges->items[i];
		struct map_violation violation = {
			.fault = MAP_WRITABLE_EXECUTABLE,
			.gpa = range->gpa,
			.size = range->size,
			.mappings = 1,
			.by = { { range->gva, range->rights } },
		};

		if (range->gva + (range->size - 1) < input->start || range->gva > input->end)
			continue;
		if (range->rights & RIGHT_W && range->rights & RIGHT_X &&
		    array_push(check->violations, violation) < 0)
			return CHECK_NO_MEMORY;
	}
	return 0;
}

static int check_prepare(struct check *check, const struct map_check_input *input)
{
	if (frame_index_open(&check->index, input->view) < 0)
		return CHECK_NO_MEMORY;
	check->frames_left = check->index.bits * FRAMES_AGAIN_MAX;
	check->mapped = frame_bits_new(&check->index);
	check->again = frame_bits_new(&check->index);
	check->writable = frame_bits_new(&check->index);
	check->executable = frame_bits_new(&check->index);
	check->tables = frame_bits_new(&check->index);
	check->writable_beyond = frame_bits_new(&check->index);
	if (!check->mapped || !check->again || !check->writable || !check->executable || !check->tables ||
	    !check->writable_beyond || map_images_collect(input->all, &check->images) < 0)
		return CHECK_NO_MEMORY;
	return collect_claimed(check, input->claims) < 0 ? CHECK_NO_MEMORY : 0;
}

static void check_destroy(struct check *check)
{
	frame_index_close(&check->index);
	free(check->mapped);
	free(check->again);
	free(check->writable);
	free(check->executable);
	free(check->tables);
	free(check->writable_beyond);
	free(check->claimed.items);
	free(check->mappings.items);
	map_images_destroy(&check->images);
}

/* Both scans. 0, or an enum check_stop. */
static int scan(struct check *check, const struct map_check_input *input)
{
	const struct walk_visitor mark = { .context = check, .run = mark_run, .visits = TABLE_VISITS };
	const struct walk_visitor collect = {
		.context = check, .run = collect_run, .again = skip_table, .visits = TABLE_VISITS
	};
	struct map_violations *violations = check->violations;
	int stop = mark_tables(check, input);

	if (stop)
		return stop;
	stop = walk_range(input->view, input->mode, input->start, input->end, 0, &mark);
	if (stop == CHECK_NO_MEMORY)
		return stop;
	violations->cut_short |= stop != 0;
	violations->frames = count_mapped(check);
	stop = 0;
	if (find_suspicious(check))
		stop = walk_range(input->view, input->mode, input->start, input->end, 0, &collect);
	violations->cut_short |= stop && stop != CHECK_NO_MEMORY;
	return stop;
}

int map_check(const struct map_check_input *input, struct map_violations *out, struct error *error)
{
	struct map_violations violations = { 0 };
	struct check check = { .direct = input->direct, .violations = &violations };
	int stop = check_prepare(&check, input);

	if (!stop)
		stop = check_ranges(&check, input);
	if (!stop)
		stop = scan(&check, input);
	if (stop != CHECK_NO_MEMORY)
		stop = check_mappings(&check);
	if (stop != CHECK_NO_MEMORY && map_count_exactly(input, &check.images, &violations) < 0)
		stop = CHECK_NO_MEMORY;
	check_destroy(&check);
	if (stop == CHECK_NO_MEMORY) {
		map_violations_destroy(&violations);
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the frames of the memory map");
	}
	*out = violations;
	return 0;
}

void map_violations_destroy(struct map_violations *violations)
{
	free(violations->items);
	*violations = (struct map_violations){ 0 };
}
