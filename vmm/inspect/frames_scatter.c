/* SPDX-License-Identifier: MIT */
/*
 * frames_scatter.c: how the frames of neighbouring pages lie.
 */
#include "inspect/frames.h"

#include "base/page.h"

#include <string.h>

struct scatter {
	struct frame_scatter *out;
	bool open;           /* a page came before ... */
	uint64_t gva;        /* ... which ends here */
	uint64_t gpa;        /* ... and so does its frame */
	unsigned int rights; /* ... of these rights */
	uint64_t run;        /* frames of the run that is open */
};

/* value > 0 */
static unsigned int bucket(uint64_t value)
{
	unsigned int log = 63 - (unsigned int)__builtin_clzll(value);

	return log < FRAME_BUCKETS ? log : FRAME_BUCKETS - 1;
}

static void end_run(struct scatter *scatter)
{
	if (!scatter->run)
		return;
	scatter->out->runs++;
	scatter->out->lengths[bucket(scatter->run)]++;
	if (scatter->run > scatter->out->longest)
		scatter->out->longest = scatter->run;
	scatter->run = 0;
}

/* A neighbour whose first frame is not the one after the last. `gpa`: where that one ends, and it begins. */
static void count_jump(struct frame_scatter *out, uint64_t end, uint64_t gpa)
{
	uint64_t last = end - PAGE_4K;

	if (gpa == last)
		out->same++;
	else
		out->distances[bucket((gpa > last ? gpa - last : last - gpa) / PAGE_4K)]++;
}

static int scatter_run(void *context, const struct walk_run *run)
{
	struct scatter *scatter = context;
	struct frame_scatter *out = scatter->out;
	bool neighbour = scatter->open && scatter->gva == run->gva && scatter->rights == run->rights;

	if (!neighbour) {
		end_run(scatter);
		out->ranges++;
	}
	for (unsigned int i = 0; i < run->count; i++) {
		uint64_t gpa = walk_leaf_gpa(run->entries[i], run->size);

		if (neighbour && gpa == scatter->gpa) {
			out->next++;
		} else if (neighbour) {
			end_run(scatter);
			count_jump(out, scatter->gpa, gpa);
		}
		scatter->run += run->size / PAGE_4K;
		scatter->gpa = gpa + run->size;
		out->pages += run->size / PAGE_4K;
		out->next += run->size / PAGE_4K - 1;
		neighbour = true;
	}
	scatter->open = true;
	scatter->rights = run->rights;
	scatter->gva = run->gva + run->count * run->size;
	return 0;
}

static int skip_table(void *context, const struct walk_table *table)
{
	struct scatter *scatter = context;

	scatter->out->repeated += PAGE_TABLE_ENTRIES * page_level_size(table->level);
	return 0;
}

void frames_scatter(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
		    struct frame_scatter *out)
{
	struct scatter scatter = { .out = out };
	const struct walk_visitor visitor = {
		.context = &scatter, .run = scatter_run, .again = skip_table, .visits = 1
	};

	memset(out, 0, sizeof(*out));
	out->cut_short = walk_range(view, mode, start, end, 0, &visitor) != 0;
	end_run(&scatter);
}
