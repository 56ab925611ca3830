/* SPDX-License-Identifier: MIT */
#include "claims/area_tables.h"

#include "kvmap/layout.h"

struct reading {
	struct area_tables *out;
	uint64_t start, guard;   /* the area without its guard: [start, guard) */
	uint64_t next, next_gpa; /* ends of the page before and of its frame */
	uint64_t *budget;
};

/* Twice the number of tables, and for each area one path from the root at most. */
uint64_t area_tables_budget(const struct view *view, const struct claims *claims)
{
	return view_data_size(view) / KVMAP_PAGE_SIZE * 2 + claims->areas.count * 8;
}

static int read_table(void *context, uint64_t gpa, unsigned int level, uint64_t gva)
{
	struct reading *reading = context;

	(void)gpa, (void)level, (void)gva;
	--*reading->budget;
	return 0;
}

/* A leaf may begin before the area and end after it. */
static void read_leaf(struct reading *reading, const struct walk_leaf *leaf)
{
	struct area_tables *out = reading->out;
	uint64_t start = leaf->gva > reading->start ? leaf->gva : reading->start;
	uint64_t last = leaf->gva + (leaf->size - 1), gpa = leaf->gpa + (start - leaf->gva), pages;

	if (last >= reading->guard) {
		out->guard_mapped = true;
		if (start >= reading->guard)
			return;
		last = reading->guard - 1;
	}
	pages = (last - start) / KVMAP_PAGE_SIZE + 1;
	if (!out->pages)
		out->gpa = gpa;
	out->runs += !out->pages || start != reading->next || gpa != reading->next_gpa;
	out->rights = out->pages ? out->rights & leaf->rights : leaf->rights;
	out->rights_some |= leaf->rights;
	out->pages += pages;
	out->large += leaf->level > 1 ? pages : 0;
	reading->next = last + 1;
	reading->next_gpa = gpa + pages * KVMAP_PAGE_SIZE;
}

static int read_run(void *context, const struct walk_run *run)
{
	for (unsigned int i = 0; i < run->count; i++) {
		const struct walk_leaf leaf = walk_run_leaf(run, i);

		read_leaf(context, &leaf);
	}
	return 0;
}

void area_tables(const struct view *view, const struct walk_mode *mode, const struct claim_area *area,
		 uint64_t *budget, struct area_tables *out)
{
	struct reading reading = {
		.out = out, .start = area->va_start, .guard = claim_area_guard(area), .budget = budget
	};
	const struct walk_visitor visitor = { .context = &reading, .run = read_run, .table = read_table };

	*out = (struct area_tables){ 0 };
	if (area->va_end <= area->va_start)
		return;
	/* walk_range takes a limit of 0 for its default. */
	if (!*budget || walk_range(view, mode, area->va_start, area->va_end - 1, *budget, &visitor) != 0)
		out->cut_short = true;
}
