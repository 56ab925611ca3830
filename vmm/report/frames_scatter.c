/* SPDX-License-Identifier: MIT */
/*
 * frames_scatter.c: histograms of how the frames of neighbouring pages lie.
 */
#include "base/number.h"
#include "report/frames_parts.h"
#include "report/json.h"
#include "report/text.h"

#include <inttypes.h>
#include <string.h>

#define BAR_COLUMNS 40

/* A line of a histogram. `all`: count of 100%; `most`: count of the longest bar. */
static void show_bar(struct report *report, const char *label, uint64_t count, uint64_t all, uint64_t most)
{
	char bar[BAR_COLUMNS + 1], number[32];
	size_t length = (size_t)((double)count / (double)most * BAR_COLUMNS + 0.5);

	if (length > BAR_COLUMNS)
		length = BAR_COLUMNS;
	memset(bar, '#', sizeof(bar));
	bar[length] = '\0';
	text_line(report, PAINT_PLAIN, 2, 2, "%18s  %12s  %5.1f%%  %s", label,
		  text_count(count, number, sizeof(number)), 100.0 * (double)count / (double)all, bar);
}

/* "64 to 127"; the last bucket has everything larger. */
static const char *bucket_label(unsigned int bucket, char *out, size_t size)
{
	char from[32], to[32];

	text_count(1ull << bucket, from, sizeof(from));
	if (bucket == FRAME_BUCKETS - 1)
		snprintf(out, size, "%s and more", from);
	else if (!bucket)
		snprintf(out, size, "1");
	else
		snprintf(out, size, "%s to %s", from, text_count((2ull << bucket) - 1, to, sizeof(to)));
	return out;
}

static uint64_t largest(const uint64_t *counts, uint64_t start)
{
	for (unsigned int i = 0; i < FRAME_BUCKETS; i++)
		start = counts[i] > start ? counts[i] : start;
	return start;
}

static void show_buckets(struct report *report, const uint64_t *counts, uint64_t all, uint64_t most)
{
	char label[80];

	for (unsigned int i = 0; i < FRAME_BUCKETS; i++)
		if (counts[i])
			show_bar(report, bucket_label(i, label, sizeof(label)), counts[i], all, most);
}

static void show_scatter(struct report *report, const struct report_frames *about)
{
	const struct frame_scatter *scatter = about->scatter;
	char pages[40], ranges[40], runs[40], longest[40];
	uint64_t pairs = scatter->pages - scatter->ranges, most;

	text_heading(report, "How the frames of neighbouring pages lie");
	text_line(report, PAINT_PLAIN, 2, 2,
		  "%s, as the tables map them: %s in %s, in %s; the longest has %s.%s", about->scatter_of,
		  text_number_of(scatter->pages, "page", pages, sizeof(pages)),
		  text_number_of(scatter->ranges, "range", ranges, sizeof(ranges)),
		  text_number_of(scatter->runs, "physically contiguous run", runs, sizeof(runs)),
		  text_number_of(scatter->longest, "page", longest, sizeof(longest)),
		  scatter->cut_short ? " THE WALK WAS CUT SHORT." : "");
	if (scatter->repeated)
		text_line(report, PAINT_PLAIN, 2, 2,
			  "%s more of virtual addresses are not counted: the same tables translate them.",
			  number_bytes(scatter->repeated, pages, sizeof(pages)));
	if (pairs) {
		most = largest(scatter->distances,
			       scatter->next > scatter->same ? scatter->next : scatter->same);
		fputc('\n', report->stream);
		text_line(report, PAINT_BOLD, 2, 2, "%18s  %12s", "frames apart", "neighbours");
		if (scatter->next)
			show_bar(report, "the next frame", scatter->next, pairs, most);
		if (scatter->same)
			show_bar(report, "the same frame", scatter->same, pairs, most);
		show_buckets(report, scatter->distances, pairs, most);
	}
	if (scatter->runs) {
		fputc('\n', report->stream);
		text_line(report, PAINT_BOLD, 2, 2, "%18s  %12s", "pages in a run", "runs");
		show_buckets(report, scatter->lengths, scatter->runs, largest(scatter->lengths, 0));
	}
}

/* [{"from":64,"count":3}...], without empty buckets. */
static struct json_object *buckets_object(const uint64_t *counts)
{
	struct json_object *array = json_object_new_array();

	for (unsigned int i = 0; i < FRAME_BUCKETS; i++) {
		struct json_object *item;

		if (!counts[i])
			continue;
		item = json_object_new_object();
		json_add_number(item, "from", 1ull << i);
		json_add_number(item, "count", counts[i]);
		json_object_array_add(array, item);
	}
	return array;
}

static void emit_scatter(struct report *report, const struct report_frames *about)
{
	const struct frame_scatter *scatter = about->scatter;
	struct json_object *line = json_start(report, "scatter");

	json_add_string(line, "of", about->scatter_of);
	json_add_number(line, "pages", scatter->pages);
	json_add_number(line, "ranges", scatter->ranges);
	json_add_number(line, "next", scatter->next);
	json_add_number(line, "same", scatter->same);
	json_object_object_add(line, "distances", buckets_object(scatter->distances));
	json_add_number(line, "runs", scatter->runs);
	json_add_number(line, "longest", scatter->longest);
	json_object_object_add(line, "lengths", buckets_object(scatter->lengths));
	json_add_number(line, "repeated", scatter->repeated);
	json_add_bool(line, "cut_short", scatter->cut_short);
	json_finish(report, line);
}

void part_scatter(struct report *report, const struct report_frames *about)
{
	if (report->format == REPORT_TEXT)
		show_scatter(report, about);
	else
		emit_scatter(report, about);
}
