/* SPDX-License-Identifier: MIT */
/*
 * bench.c: `bench guest`: instructions beside Linux's.
 */
#include "base/strbuf.h"
#include "kvmap/boot.h"
#include "report/bench.h"
#include "report/json.h"
#include "report/text.h"
#include "script/script.h"

#include <inttypes.h>

static bool is_at_most(const struct report_bench_row *row, uint64_t part)
{
	return row->instructions * part <= row->reference;
}

static const char *verdict_of(const struct report_bench_row *row)
{
	return is_at_most(row, 3)   ? "a third or less"
	       : is_at_most(row, 2) ? "half or less"
				    : "more than half";
}

static double ratio(const struct report_bench_row *row)
{
	return (double)row->instructions / (double)row->reference;
}

/* Two decimals, rounded up, so that a ratio above a goal is not shown as equal to it. */
static double shown_ratio(const struct report_bench_row *row)
{
	uint64_t hundredths = (row->instructions * 100 + row->reference - 1) / row->reference;

	return (double)hundredths / 100;
}

static void show_row(struct report *report, const struct report_bench_row *row)
{
	char instructions[32], reference[32], worst[32], beyond[32];

	text_line(report, is_at_most(row, 2) ? PAINT_PLAIN : PAINT_BAD, 2, 4,
		  "%-16s %5s  %12s  %12s  %6.2f  %-14s  %11s  %6s", row->operation, row->size,
		  text_count(row->instructions, instructions, sizeof(instructions)),
		  text_count(row->reference, reference, sizeof(reference)), shown_ratio(row), verdict_of(row),
		  text_count(row->worst, worst, sizeof(worst)),
		  text_count(row->beyond, beyond, sizeof(beyond)));
}

/* Instructions that the event log adds to each of the 2 * pages entries that a pair writes. */
static double log_cost(const struct report_bench_row *row)
{
	return ((double)row->logged - (double)row->instructions) / (2 * (double)row->pages);
}

static void show_logged(struct report *report, const struct report_bench_row *rows, size_t count)
{
	text_line(report, PAINT_FAINT, 2, 4, "%-16s %5s  %12s  %12s  %s", "operation", "size", "log off",
		  "log on", "more for each entry written");
	for (size_t i = 0; i < count; i++) {
		char off[32], on[32], each[32] = "";

		if (rows[i].pages)
			snprintf(each, sizeof(each), "%.1f", log_cost(&rows[i]));
		text_line(report, PAINT_PLAIN, 2, 4, "%-16s %5s  %12s  %12s  %s", rows[i].operation,
			  rows[i].size, text_count(rows[i].instructions, off, sizeof(off)),
			  text_count(rows[i].logged, on, sizeof(on)), each);
	}
}

/* The goal for `beyond` of every row: instructions. */
#define BEYOND_MOST 20000

static void show_beyond(struct report *report, const struct report_bench_row *rows, size_t count)
{
	const struct report_bench_row *most = rows;
	char beyond[32], goal[32];

	for (size_t i = 1; i < count; i++)
		if (rows[i].beyond > most->beyond)
			most = &rows[i];
	text_line(report, most->beyond <= BEYOND_MOST ? PAINT_GOOD : PAINT_BAD, 2, 4,
		  "Beyond its own pages no single operation costs more than %s (%s %s); the goal is %s.",
		  text_count(most->beyond, beyond, sizeof(beyond)), most->operation, most->size,
		  text_count(BEYOND_MOST, goal, sizeof(goal)));
}

/* The rows of one policy, and a summary. */
static void show_policy(struct report *report, const struct report_bench_row *rows, size_t count)
{
	size_t thirds = 0, halves = 0;
	char all[40];

	text_line(report, PAINT_BOLD, 0, 2, "Policy %s", policy_name(rows[0].policy));
	text_line(report, PAINT_FAINT, 2, 4, "%-16s %5s  %12s  %12s  %6s  %-14s  %11s  %6s", "operation",
		  "size", "kvmap", "Linux's best", "ratio", "of Linux", "worst one", "beyond");
	for (size_t i = 0; i < count; i++) {
		show_row(report, &rows[i]);
		thirds += is_at_most(&rows[i], 3);
		halves += is_at_most(&rows[i], 2);
	}
	text_line(report, halves == count ? PAINT_GOOD : PAINT_PLAIN, 2, 4,
		  "Of %s, %zu cost at most half of what Linux does, %zu of them at most a third.",
		  text_number_of(count, "row", all, sizeof(all)), halves, thirds);
	show_beyond(report, rows, count);
	if (rows[0].logged)
		show_logged(report, rows, count);
	fputc('\n', report->stream);
}

static size_t same_policy(const struct report_bench_row *rows, size_t count)
{
	size_t same = 1;

	while (same < count && rows[same].policy == rows[0].policy)
		same++;
	return same;
}

static void show_live(struct report *report, const struct report_bench *bench)
{
	text_line(report, PAINT_BOLD, 0, 2, "vmalloc 4K and vfree, by number of live areas");
	for (size_t i = 0, same; i < bench->live_count; i += same) {
		const struct report_bench_row *rows = bench->live + i;
		char line[400], count[32], instructions[32];
		struct strbuf text = STRBUF(line);

		strbuf_add(&text, "%-6s", policy_name(rows[0].policy));
		same = same_policy(rows, bench->live_count - i);
		for (size_t j = 0; j < same && text.length < 300; j++)
			strbuf_add(&text, "  %s: %s", text_count(rows[j].areas, count, sizeof(count)),
				   text_count(rows[j].instructions, instructions, sizeof(instructions)));
		text_line(report, PAINT_PLAIN, 2, 10, "%s  the last is %.2f times the first", line,
			  (double)rows[same - 1].instructions / (double)rows[0].instructions);
	}
	fputc('\n', report->stream);
}

static void show_flushes(struct report *report, const struct report_bench *bench)
{
	char frees[32];

	text_line(report, PAINT_BOLD, 0, 2, "Flushes of %s frees of 4K",
		  text_count(bench->flushes[0].frees, frees, sizeof(frees)));
	for (size_t i = 0; i < bench->flushes_count; i++) {
		const struct report_bench_flushes *flushes = &bench->flushes[i];

		text_line(report, PAINT_PLAIN, 2, 10,
			  "%-6s  %" PRIu64 " of everything, %" PRIu64 " page by page with %" PRIu64
			  " pages; %" PRIu64 " entries flushed, %" PRIu64 " IPIs",
			  policy_name(flushes->policy), flushes->full, flushes->some, flushes->pages,
			  flushes->entries, flushes->interrupts);
	}
	fputc('\n', report->stream);
}

static double per(uint64_t count, uint64_t things)
{
	return (double)count / (double)things;
}

/* Per thousand frees. */
static double per_thousand(uint64_t count, const struct report_bench_cpus *row)
{
	return per(1000 * count, row->pairs);
}

static void show_cpus_heading(struct report *report, unsigned int cpus)
{
	char number[32];

	text_line(report, PAINT_BOLD, 0, 2, "%s in parallel: a pair, and the TLB shootdowns of 1,000 frees",
		  text_number_of(cpus, "CPU", number, sizeof(number)));
	text_line(report, PAINT_PLAIN, 2, 2, "%-6s  %-11s %5s  %12s  %6s  %7s  %6s  %7s  %6s", "policy",
		  "operation", "size", "instructions", "locks", "waited", "rounds", "IPIs", "pages");
}

static void show_cpus(struct report *report, const struct report_bench *bench)
{
	for (size_t i = 0; i < bench->cpus_count; i++) {
		const struct report_bench_cpus *row = &bench->cpus[i];
		char instructions[32];

		if (!i || row->cpus != row[-1].cpus)
			show_cpus_heading(report, row->cpus);
		text_line(report, PAINT_PLAIN, 2, 2,
			  "%-6s  %-11s %5s  %12s  %6.2f  %7.3f  %6.1f  %7.1f  %6.0f",
			  policy_name(row->policy), row->operation, row->size,
			  text_count(row->instructions / row->pairs, instructions, sizeof(instructions)),
			  per(row->locks, row->pairs), per(row->contended, row->pairs),
			  per_thousand(row->rounds, row), per_thousand(row->interrupts, row),
			  per_thousand(row->pages, row));
		if (i + 1 == bench->cpus_count || row[1].cpus != row->cpus)
			fputc('\n', report->stream);
	}
}

static void show_bench(struct report *report, const struct report_bench *bench)
{
	text_line(
		report, PAINT_PLAIN, 0, 0,
		"Instructions of an allocation and its free, purges included, on one CPU under QEMU. Linux's best: of "
		"the kernels in figures/linux-vmalloc.tsv the one that needs the fewest. New frames from the host "
		"are zero: vzalloc does not clear them; vzalloc_used has only frames that were used before.");
	fputc('\n', report->stream);
	for (size_t i = 0, same; i < bench->row_count; i += same) {
		same = same_policy(bench->rows + i, bench->row_count - i);
		show_policy(report, bench->rows + i, same);
	}
	if (bench->live_count)
		show_live(report, bench);
	if (bench->flushes_count)
		show_flushes(report, bench);
	if (bench->cpus_count)
		show_cpus(report, bench);
	if (*bench->missing)
		text_line(report, PAINT_PLAIN, 0, 2,
			  "Linux has figures for these, and this guest no such function: %s.",
			  bench->missing);
}

static void emit_row(struct report *report, const struct report_bench_row *row)
{
	struct json_object *line = json_start(report, row->areas ? "bench_live" : "bench");

	json_add_string(line, "operation", row->operation);
	json_add_string(line, "size", row->size);
	json_add_string(line, "policy", policy_name(row->policy));
	json_add_number(line, "cpus", 1);
	if (row->areas)
		json_add_number(line, "areas", row->areas);
	json_add_number(line, "instructions", row->instructions);
	if (row->logged)
		json_add_number(line, "logged", row->logged);
	if (row->reference) {
		json_add_number(line, "linux", row->reference);
		json_object_object_add(line, "ratio", json_object_new_double(ratio(row)));
	}
	json_add_number(line, "worst", row->worst);
	json_add_number(line, "beyond", row->beyond);
	json_finish(report, line);
}

static void emit_flushes(struct report *report, const struct report_bench_flushes *flushes)
{
	struct json_object *line = json_start(report, "bench_flushes");

	json_add_string(line, "policy", policy_name(flushes->policy));
	json_add_number(line, "cpus", 1);
	json_add_number(line, "frees", flushes->frees);
	json_add_number(line, "full", flushes->full);
	json_add_number(line, "by_page", flushes->some);
	json_add_number(line, "pages", flushes->pages);
	json_add_number(line, "entries", flushes->entries);
	json_add_number(line, "interrupts", flushes->interrupts);
	json_finish(report, line);
}

static void emit_cpus(struct report *report, const struct report_bench_cpus *row)
{
	struct json_object *line = json_start(report, "bench");

	json_add_string(line, "operation", row->operation);
	json_add_string(line, "size", row->size);
	json_add_string(line, "policy", policy_name(row->policy));
	json_add_number(line, "cpus", row->cpus);
	json_add_number(line, "instructions", row->instructions / row->pairs);
	json_add_number(line, "pairs", row->pairs);
	json_add_number(line, "locks", row->locks);
	json_add_number(line, "contended", row->contended);
	json_add_number(line, "rounds", row->rounds);
	json_add_number(line, "interrupts", row->interrupts);
	json_add_number(line, "pages_flushed", row->pages);
	json_finish(report, line);
}

void report_bench(struct report *report, const struct report_bench *bench)
{
	if (report->format == REPORT_TEXT) {
		show_bench(report, bench);
		return;
	}
	for (size_t i = 0; i < bench->row_count; i++)
		emit_row(report, &bench->rows[i]);
	for (size_t i = 0; i < bench->live_count; i++)
		emit_row(report, &bench->live[i]);
	for (size_t i = 0; i < bench->flushes_count; i++)
		emit_flushes(report, &bench->flushes[i]);
	for (size_t i = 0; i < bench->cpus_count; i++)
		emit_cpus(report, &bench->cpus[i]);
}
