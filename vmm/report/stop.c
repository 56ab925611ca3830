/* SPDX-License-Identifier: MIT */
#include "report/stop.h"

#include "base/number.h"
#include "base/strbuf.h"
#include "inspect/diff.h"
#include "report/diff.h"
#include "report/json.h"
#include "report/run_parts.h"
#include "report/text.h"

#include <inttypes.h>

#define AREAS_SHOWN 8

/* The run, with the steps since the last stop only. */
static struct report_run steps_of(const struct report_stop *stop)
{
	struct report_run run = *stop->run;

	run.steps += stop->first_step;
	run.step_count -= stop->first_step;
	return run;
}

static void show_steps(struct report *report, const struct report_run *run)
{
	char outcome[400];

	if (run->step_count == 1)
		text_line(report, step_is_bad(run, &run->steps[0]) ? PAINT_BAD : PAINT_PLAIN, 2, 4, "%s",
			  step_outcome(run, &run->steps[0], outcome, sizeof(outcome)));
	else
		part_rows(report, run);
	if (run->step_count == 1)
		part_shown(report, &run->steps[0]);
	part_warnings(report, run);
}

/* ---- areas ---- */

static bool is_new(const struct diff_area *change)
{
	return change->changes & (1u << DIFF_AREA_NEW | 1u << DIFF_AREA_ANEW);
}

static void show_area(struct report *report, const struct report_stop *stop, const struct diff_area *change)
{
	const struct claim_area *area = change->after ? change->after : change->before;
	const char *name = claims_area_variable(change->after ? stop->run->claims : stop->before, area);
	char list[160], bytes[40], variable[60], runs[60] = "";
	uint64_t count;

	count = change->after && is_new(change) ? claims_area_runs(stop->run->claims, area) : 0;
	if (count)
		snprintf(runs, sizeof(runs), ", %" PRIu32 " frame%s in %" PRIu64 " run%s", area->nr_pages,
			 area->nr_pages == 1 ? "" : "s", count, count == 1 ? "" : "s");
	text_line(report, PAINT_PLAIN, 2, 4, "%c area%s 0x%" PRIx64 ", %s: %s%s",
		  is_new(change)  ? '+'
		  : change->after ? '~'
				  : '-',
		  text_variable(name, variable, sizeof(variable)), area->va_start,
		  number_bytes(claim_area_bytes(area), bytes, sizeof(bytes)),
		  report_area_changes(change->changes, list, sizeof(list)), runs);
}

static void show_areas(struct report *report, const struct report_stop *stop)
{
	struct diff_areas areas = { 0 };
	struct error ignored;
	char more[40];

	if (diff_areas(stop->before, stop->run->claims, &areas, &ignored) == 0) {
		for (size_t i = 0; i < areas.count && i < AREAS_SHOWN; i++)
			show_area(report, stop, &areas.items[i]);
		if (areas.count > AREAS_SHOWN)
			text_line(report, PAINT_FAINT, 2, 4, "... and %s (`diff` has all)",
				  text_number_of(areas.count - AREAS_SHOWN, "more area", more, sizeof(more)));
	}
	diff_areas_destroy(&areas);
}

/* ---- counters ---- */

static void add_change(struct strbuf *list, const char *what, uint64_t before, uint64_t after)
{
	char count[40];

	if (before == after)
		return;
	text_count(after > before ? after - before : before - after, count, sizeof(count));
	strbuf_add_item(list, ", ", "%s %c%s", what, after > before ? '+' : '-', count);
}

static void show_frames(struct report *report, const struct claims *before, const struct claims *after)
{
	static const struct {
		unsigned int item;
		const char *what;
	} items[] = {
		{ NR_FREE_PAGES, "free" },         { NR_VMALLOC_PAGES, "areas" },
		{ NR_LAZY_PAGES, "lazily freed" }, { NR_PAGETABLE_PAGES, "page tables" },
		{ NR_SLAB_PAGES, "slabs" },        { NR_KMALLOC_PAGES, "kmalloc" },
		{ NR_HELD_PAGES, "held" },
	};
	char text[300];
	struct strbuf list = STRBUF(text);

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		add_change(&list, items[i].what, before->vm_stat[items[i].item],
			   after->vm_stat[items[i].item]);
	if (list.length)
		text_line(report, PAINT_PLAIN, 2, 10, "frames  %s", text);
}

static void show_flushes(struct report *report, const struct claims *before, const struct claims *after)
{
	char text[300];
	struct strbuf list = STRBUF(text);

	add_change(&list, "of everything", before->stats.flush_full, after->stats.flush_full);
	add_change(&list, "page by page", before->stats.flush_range, after->stats.flush_range);
	add_change(&list, "INVLPG", before->stats.flush_pages, after->stats.flush_pages);
	add_change(&list, "ranges released", before->stats.areas_purged, after->stats.areas_purged);
	add_change(&list, "shootdowns", before->tlb_rounds, after->tlb_rounds);
	add_change(&list, "IPIs", before->tlb_ipis, after->tlb_ipis);
	if (list.length)
		text_line(report, PAINT_PLAIN, 2, 10, "flushes %s", text);
}

/* ---- verification ---- */

static void show_verification(struct report *report, const struct report_stop *stop)
{
	const struct verdict *verdict = stop->run->verdict;
	size_t listed = verdict->findings.count - stop->first_listed;
	char count[40], checks[40], time[40];

	text_duration(stop->ns, time, sizeof(time));
	for (size_t i = stop->first_listed; i < verdict->findings.count; i++)
		part_finding(report, verdict, i);
	if (stop->findings)
		text_line(report, PAINT_BAD, 2, 4, "NOT VERIFIED: %s%s; %s checks, %s",
			  text_number_of(stop->findings, "finding", count, sizeof(count)),
			  listed ? "" : ", listed before", text_count(stop->checks, checks, sizeof(checks)),
			  time);
	else if (stop->verified)
		text_line(report, PAINT_GOOD, 2, 4, "verified: %s checks, no findings, %s",
			  text_count(stop->checks, checks, sizeof(checks)), time);
}

static void show_text(struct report *report, const struct report_stop *stop)
{
	const struct report_run run = steps_of(stop);

	if (run.step_count)
		show_steps(report, &run);
	if (stop->dead)
		part_death(report, &run);
	if (stop->stopped_at)
		text_line(
			report, PAINT_BAD, 2, 4,
			"stopped at %s, where claims and tables may differ: look around, then `continue`, or `restart`",
			stop->stopped_at);
	if (stop->before && run.claims && !stop->dead) {
		show_areas(report, stop);
		show_frames(report, stop->before, run.claims);
		show_flushes(report, stop->before, run.claims);
	}
	show_verification(report, stop);
	if (stop->dead)
		text_line(report, PAINT_BAD, 2, 4,
			  "The guest cannot run any more: look around, or `restart`.");
}

static void emit(struct report *report, const struct report_stop *stop)
{
	const struct report_run run = steps_of(stop);
	const struct verdict *verdict = run.verdict;
	struct json_object *line;

	part_timeline(report, &run);
	part_warnings(report, &run);
	if (stop->dead)
		part_death(report, &run);
	for (size_t i = stop->first_listed; i < verdict->findings.count; i++)
		part_finding(report, verdict, i);
	line = json_start(report, "stop");
	json_add_string(line, "state", stop->dead ? "dead" : stop->stopped_at ? "stopped" : "idle");
	json_add_number(line, "operations", run.step_count);
	json_add_bool(line, "verified", stop->verified);
	json_add_number(line, "checks", stop->checks);
	json_add_number(line, "findings", stop->findings);
	json_add_number(line, "ns", stop->ns);
	json_add_number(line, "guest_ns", stop->guest_ns);
	json_finish(report, line);
}

void report_stop(struct report *report, const struct report_stop *stop)
{
	if (report->format == REPORT_TEXT)
		show_text(report, stop);
	else
		emit(report, stop);
}
