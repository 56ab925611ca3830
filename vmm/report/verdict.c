/* SPDX-License-Identifier: MIT */
/*
 * verdict.c: a line for each invariant, every finding, and the sentence at the end.
 */
#include "base/strbuf.h"
#include "report/json.h"
#include "report/run_parts.h"
#include "report/text.h"
#include "report/verdict.h"

#include <inttypes.h>
#include <string.h>

static const char *finding_name(unsigned int invariant)
{
	return invariant && invariant <= INVARIANTS ? invariant_name(invariant) : "script";
}

/* For V10, what of the second stage was compared; for V4, frames of another node than requested. Else "". */
static const char *result_note(unsigned int invariant, const struct verdict *verdict, char *out, size_t size)
{
	char slots[40], leaves[40], frames[40];

	*out = 0;
	if (invariant == INVARIANT_OWNERS && verdict->fallback_frames)
		snprintf(out, size, " [%s of another node than preferred]",
			 text_number_of(verdict->fallback_frames, "frame", frames, sizeof(frames)));
	if (invariant == INVARIANT_SECOND_STAGE && verdict->slots_checked)
		snprintf(
			out, size, " [%s; second stage: %s]",
			text_number_of(verdict->slots_checked, "slot", slots, sizeof(slots)),
			text_number_of(verdict->stage2_leaves_checked, "leaf entry", leaves, sizeof(leaves)));
	return out;
}

/* Whether checks were made that say something: all of them, or enough of them for a finding. */
static bool is_checked(const struct invariant_result *result)
{
	return result->seen == SEEN || result->findings;
}

static void show_result(struct report *report, unsigned int invariant, const struct verdict *verdict)
{
	const struct invariant_result *result = &verdict->results[invariant];
	const char *name = invariant_name(invariant), *text = invariant_text(invariant);
	char count[40], note[120], why[sizeof(result->why_not) + 4] = "";

	result_note(invariant, verdict, note, sizeof(note));
	text_count(result->checked, count, sizeof(count));
	if (result->seen == NOT_SEEN)
		snprintf(why, sizeof(why), " (%s)", *result->why_not ? result->why_not : "no reason given");
	if (result->findings)
		text_line(report, PAINT_BAD, 2, 28, "%-4s %2" PRIu64 " %-5s %10s  %s%s%s", name,
			  result->findings, "WRONG", count, text, why, note);
	else if (result->seen == NOT_SEEN)
		text_line(report, PAINT_FAINT, 2, 28, "%-4s %-8s %10s  %s%s%s", name, "not seen", "", text,
			  why, note);
	else if (!result->checked)
		/* No check applied: neither right nor wrong. */
		text_line(report, PAINT_FAINT, 2, 28, "%-4s %-8s %10s  %s", name, "-", "none", text);
	else
		text_line(report, PAINT_PLAIN, 2, 28, "%-4s %-8s %10s  %s%s", name, "ok", count, text, note);
}

/* The reason why no invariant was seen, if all have the same one; else NULL. */
static const char *why_nothing_seen(const struct verdict *verdict)
{
	const char *why = verdict->results[1].why_not;

	for (unsigned int i = 1; i <= INVARIANTS; i++)
		if (verdict->results[i].seen == SEEN || strcmp(verdict->results[i].why_not, why))
			return NULL;
	return why;
}

static void show_results(struct report *report, const struct verdict *verdict)
{
	const char *why = why_nothing_seen(verdict);

	if (why) {
		text_line(report, PAINT_FAINT, 2, 2, "V1 to V%d  not seen: %s", INVARIANTS, why);
		return;
	}
	text_line(report, PAINT_FAINT, 2, 2, "%-4s %-8s %10s  %s", "", "", "checks", "invariant");
	for (unsigned int i = 1; i <= INVARIANTS; i++)
		show_result(report, i, verdict);
}

/* Another claim about the object of a finding: what differs from the finding. */
static void show_further(struct report *report, const struct finding *finding, const struct finding *further)
{
	bool elsewhere = strcmp(finding->where, further->where) != 0;
	char place[120] = "", pages[40];

	if (further->pages > 1 &&
	    (further->range_start != finding->range_start || further->range_end != finding->range_end))
		snprintf(place, sizeof(place),
			 "0x%016" PRIx64 " to 0x%016" PRIx64 "%s, %s, the first: ", further->range_start,
			 further->range_end - 1, further->gaps ? ", with gaps" : "",
			 text_number_of(further->pages, "page", pages, sizeof(pages)));
	else if (further->address != finding->address)
		snprintf(place, sizeof(place), "at 0x%016" PRIx64 ": ", further->address);
	text_line(report, PAINT_PLAIN, 6, 15, "also     %sclaimed %s; found %s%s%s", place, further->claimed,
		  further->found, elsewhere ? "; " : "", elsewhere ? further->where : "");
}

static void show_all_further(struct report *report, const struct verdict *verdict, size_t of)
{
	const struct finding *finding = &verdict->findings.items[of];
	char claims[40];

	for (size_t i = 0; i < verdict->further.count; i++)
		if (verdict->further.items[i].of == of)
			show_further(report, finding, &verdict->further.items[i]);
	if (finding->more_unlisted)
		text_line(report, PAINT_PLAIN, 6, 15, "also     %s",
			  text_number_of(finding->more_unlisted, "more claim", claims, sizeof(claims)));
}

/* Whether a shell reads the word as it is. */
static bool is_plain_word(const char *word)
{
	return *word && *word != '-' &&
	       word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+-")] ==
		       '\0';
}

/* The commands that explain the finding, to be typed: "kvmap explain V3; kvmap walk t.kvs 0xffffc90000001000". */
static const char *next_text(const struct verdict *verdict, const struct finding *finding, char *out,
			     size_t size)
{
	const char *command = invariant_next(finding->invariant);
	struct strbuf text = strbuf_of(out, size);

	*out = 0;
	if (!finding->invariant || finding->invariant > INVARIANTS)
		return out;
	strbuf_add(&text, "kvmap explain %s", invariant_name(finding->invariant));
	if (!*command || !verdict->source || !is_plain_word(verdict->source))
		return out;
	strbuf_add(&text, "; kvmap %s %s", command, verdict->source);
	if (!strcmp(command, "walk") || !strcmp(command, "frames"))
		strbuf_add(&text, " 0x%" PRIx64, finding->address);
	if (!strcmp(command, "proc"))
		strbuf_add(&text, " meminfo");
	return out;
}

static void show_finding(struct report *report, const struct verdict *verdict, size_t i)
{
	const struct finding *finding = &verdict->findings.items[i];
	char pages[40], next[600];

	text_line(report, PAINT_BAD, 2, 6, "%zu. %s at 0x%016" PRIx64 ", %s", i + 1,
		  finding_name(finding->invariant), finding->address, invariant_severity(finding->invariant));
	if (finding->pages > 1)
		text_line(report, PAINT_PLAIN, 6, 15,
			  "range    0x%016" PRIx64 " to 0x%016" PRIx64 "%s: %s; the first:",
			  finding->range_start, finding->range_end - 1, finding->gaps ? ", with gaps" : "",
			  text_number_of(finding->pages, "page", pages, sizeof(pages)));
	text_line(report, PAINT_PLAIN, 6, 15, "claimed  %s", finding->claimed);
	text_line(report, PAINT_PLAIN, 6, 15, "found    %s", finding->found);
	if (*finding->where)
		text_line(report, PAINT_PLAIN, 6, 15, "where    %s", finding->where);
	show_all_further(report, verdict, i);
	if (*finding->after)
		text_line(report, PAINT_PLAIN, 6, 15, "after    %s", finding->after);
	if (*next_text(verdict, finding, next, sizeof(next)))
		text_line(report, PAINT_FAINT, 6, 15, "next     %s", next);
}

static void show_findings(struct report *report, const struct verdict *verdict)
{
	if (!verdict->findings.count)
		return;
	text_heading(report, "Findings");
	for (size_t i = 0; i < verdict->findings.count; i++)
		show_finding(report, verdict, i);
	if (verdict->finding_count > verdict->findings.count)
		text_line(report, PAINT_BAD, 2, 2, "... and %" PRIu64 " more of the same kinds",
			  verdict->finding_count - verdict->findings.count);
}

/* "2 findings, 1 of them before `restart`" */
static const char *all_findings(const struct verdict *verdict, const struct verdict_run *run, char *out,
				size_t size)
{
	char count[40], earlier[60] = "";

	if (run->earlier_findings && !verdict->finding_count)
		snprintf(earlier, sizeof(earlier), " before `restart`");
	else if (run->earlier_findings)
		snprintf(earlier, sizeof(earlier), ", %" PRIu64 " of them before `restart`",
			 run->earlier_findings);
	snprintf(out, size, "%s%s",
		 text_number_of(verdict->finding_count + run->earlier_findings, "finding", count,
				sizeof(count)),
		 earlier);
	return out;
}

static void show_sentence(struct report *report, const struct verdict *verdict, const struct verdict_run *run)
{
	char checked[40], times[60] = "", findings[100], refusals[60], operations[40], unverified[80] = "";
	uint64_t sum = 0;

	for (unsigned int i = 1; i <= INVARIANTS; i++)
		if (is_checked(&verdict->results[i]))
			sum += verdict->results[i].checked;
	text_count(sum, checked, sizeof(checked));
	if (run->verifications)
		snprintf(times, sizeof(times), " in %u verification%s", run->verifications,
			 run->verifications == 1 ? "" : "s");
	if (run->unverified)
		snprintf(unverified, sizeof(unverified), "; not verified: %s",
			 text_number_of(run->unverified, "operation", operations, sizeof(operations)));
	fputc('\n', report->stream);
	if (verdict->finding_count || run->earlier_findings)
		text_line(report, PAINT_BAD, 0, 2, "NOT VERIFIED: %s; %s checks%s%s.",
			  all_findings(verdict, run, findings, sizeof(findings)), checked, times, unverified);
	else if (run->interrupted)
		text_line(report, PAINT_BAD, 0, 2,
			  "INTERRUPTED by %s: %s checks%s, no findings so far; the rest was not verified.",
			  run->interrupted, checked, times);
	else if (!sum)
		text_line(report, PAINT_BAD, 0, 2, "Nothing could be verified.");
	else if (run->unverified)
		text_line(report, PAINT_BAD, 0, 2, "NOT ALL VERIFIED: %s checks%s, no findings%s.", checked,
			  times, unverified);
	else
		text_line(report, PAINT_GOOD, 0, 2, "VERIFIED: %s checks%s, no findings.", checked, times);
	if (run->refused)
		text_line(report, PAINT_BAD, 0, 2,
			  "%s that the script does not expect: see above, or write `expect refused`.",
			  text_number_of(run->refused, "refusal", refusals, sizeof(refusals)));
}

static void show_text(struct report *report, const struct verdict *verdict, const struct verdict_run *run)
{
	text_heading(report, "Verdict");
	show_results(report, verdict);
	show_findings(report, verdict);
	show_sentence(report, verdict, run);
}

static void add_finding(struct json_object *line, const struct finding *finding)
{
	json_add_hex(line, "address", finding->address);
	if (finding->pages) {
		json_add_number(line, "pages", finding->pages);
		json_add_hex(line, "range_start", finding->range_start);
		json_add_hex(line, "range_end", finding->range_end);
		json_add_bool(line, "gaps", finding->gaps);
	}
	json_add_string(line, "claimed", finding->claimed);
	json_add_string(line, "found", finding->found);
	json_add_string(line, "where", finding->where);
}

/* "also": the further claims of finding `of`, if it has any. */
static void add_further(struct json_object *line, const struct verdict *verdict, size_t of)
{
	struct json_object *also = NULL;

	for (size_t i = 0; i < verdict->further.count; i++) {
		struct json_object *object;

		if (verdict->further.items[i].of != of)
			continue;
		if (!also)
			also = json_object_new_array();
		object = json_object_new_object();
		add_finding(object, &verdict->further.items[i]);
		json_object_array_add(also, object);
	}
	if (also)
		json_object_object_add(line, "also", also);
	if (verdict->findings.items[of].more_unlisted)
		json_add_number(line, "also_unlisted", verdict->findings.items[of].more_unlisted);
}

static void emit_finding(struct report *report, const struct verdict *verdict, size_t i)
{
	struct json_object *line = json_start(report, "finding");
	const struct finding *finding = &verdict->findings.items[i];
	char next[600];

	json_add_string(line, "invariant", finding_name(finding->invariant));
	json_add_string(line, "severity", invariant_severity(finding->invariant));
	add_finding(line, finding);
	add_further(line, verdict, i);
	if (*finding->after)
		json_add_string(line, "after", finding->after);
	if (*next_text(verdict, finding, next, sizeof(next)))
		json_add_string(line, "next", next);
	json_finish(report, line);
}

static void emit_verdict(struct report *report, const struct verdict *verdict, const struct verdict_run *run)
{
	struct json_object *line = json_start(report, "verdict");
	struct json_object *checked = json_object_new_object(), *not_seen = json_object_new_array();
	struct json_object *second_stage = json_object_new_object(), *partly = json_object_new_array();
	bool any = false, any_partly = false;

	for (unsigned int i = 1; i <= INVARIANTS; i++) {
		any |= is_checked(&verdict->results[i]) && verdict->results[i].checked;
		if (is_checked(&verdict->results[i]))
			json_add_number(checked, invariant_name(i), verdict->results[i].checked);
		if (verdict->results[i].seen == SEEN)
			continue;
		any_partly |= verdict->results[i].findings;
		json_object_array_add(verdict->results[i].findings ? partly : not_seen,
				      json_text(invariant_name(i)));
	}
	json_add_bool(line, "ok",
		      any && !verdict->finding_count && !run->interrupted && !run->unverified &&
			      !run->earlier_findings);
	if (run->interrupted)
		json_add_string(line, "interrupted", run->interrupted);
	if (run->unverified)
		json_add_number(line, "unverified", run->unverified);
	if (run->earlier_findings)
		json_add_number(line, "earlier_findings", run->earlier_findings);
	if (run->refused)
		json_add_number(line, "refused", run->refused);
	json_add_number(line, "findings", verdict->finding_count);
	json_object_object_add(line, "checked", checked);
	json_object_object_add(line, "not_seen", not_seen);
	if (any_partly)
		json_object_object_add(line, "partly_seen", partly);
	else
		json_object_put(partly);
	if (verdict->fallback_frames)
		json_add_number(line, "fallback_frames", verdict->fallback_frames);
	if (verdict->slots_checked) {
		json_add_number(second_stage, "slots", verdict->slots_checked);
		json_add_number(second_stage, "leaves", verdict->stage2_leaves_checked);
		json_object_object_add(line, "second_stage", second_stage);
	} else {
		json_object_put(second_stage);
	}
	json_finish(report, line);
}

void part_finding(struct report *report, const struct verdict *verdict, size_t i)
{
	if (report->format == REPORT_TEXT)
		show_finding(report, verdict, i);
	else
		emit_finding(report, verdict, i);
}

void report_verdict(struct report *report, const struct verdict *verdict, const struct verdict_run *run)
{
	if (report->format == REPORT_TEXT) {
		show_text(report, verdict, run);
		return;
	}
	for (size_t i = 0; i < verdict->findings.count; i++)
		emit_finding(report, verdict, i);
	emit_verdict(report, verdict, run);
}
