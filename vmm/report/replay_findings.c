/* SPDX-License-Identifier: MIT */
/*
 * replay_findings.c: the findings of a TLB model, and single events.
 */
#include "report/replay.h"

#include "base/page.h"
#include "base/rights.h"
#include "base/strbuf.h"
#include "report/json.h"
#include "report/text.h"

#include <inttypes.h>

/* ---- findings ---- */

/* "4K page at 0x... of GPA 0x..., rw-, PCID 1". */
static void debt_text(const struct tlb_debt *debt, char *out, size_t size)
{
	struct strbuf text = strbuf_of(out, size);

	if (debt->is_table)
		strbuf_add(&text,
			   "the entry of level %u at 0x%016" PRIx64
			   " that leads to the page table at GPA 0x%" PRIx64,
			   debt->level, debt->va, debt->frame);
	else
		strbuf_add(&text, "the %s page at 0x%016" PRIx64 ", GPA 0x%" PRIx64 ", %s",
			   page_size_name(page_level_size(debt->level)), debt->va, debt->frame,
			   RIGHTS_TEXT(debt->rights));
	if (debt->is_global)
		strbuf_add(&text, ", global");
	else
		strbuf_add(&text, ", PCID %u", debt->pcid);
}

static void removal_text(const struct tlb_debt *debt, char *out, size_t size)
{
	struct strbuf text = strbuf_of(out, size);

	strbuf_add(&text, "at event %" PRIu64 " by CPU %u", debt->since, debt->remover);
	if (debt->thread)
		strbuf_add(&text, ", thread 0x%" PRIx64, debt->thread);
	strbuf_add(&text, debt->is_over ? "; the operation has returned" : "");
	strbuf_add(&text, debt->is_replaced ? "; another frame is there now" : "");
}

static void show_place(struct report *report, const char *title, const struct report_place *place)
{
	if (!*place->at)
		return;
	text_line(report, PAINT_PLAIN, 6, 15, "%-8s %s", title, place->at);
	for (unsigned int i = 0; i < place->caller_count; i++)
		text_line(report, PAINT_FAINT, 15, 15, "called by %s", place->callers[i]);
}

static void show_origin(struct report *report, const struct report_origin *origin)
{
	show_place(report, "at", &origin->used);
	if (origin->has_entry)
		text_line(report, PAINT_PLAIN, 6, 15,
			  "entry    GPA 0x%" PRIx64 ": 0x%016" PRIx64 " became 0x%016" PRIx64, origin->entry,
			  origin->old, origin->value);
	show_place(report, "by", &origin->changed);
}

static void show_finding(struct report *report, size_t number, const struct tlb_finding *finding,
			 const struct report_origin *origin)
{
	char held[200], removed[160];

	text_line(report, PAINT_BAD, 2, 6, "%zu. %s at 0x%016" PRIx64 ": CPU %u, event %" PRIu64, number,
		  tlb_rules[finding->rule].word, finding->address, finding->cpu, finding->seq);
	if (!finding->has_debt) {
		if (origin)
			show_origin(report, origin);
		return;
	}
	debt_text(&finding->debt, held, sizeof(held));
	removal_text(&finding->debt, removed, sizeof(removed));
	text_line(report, PAINT_PLAIN, 6, 15, "owed     CPU %u may hold %s", finding->debt.cpu, held);
	text_line(report, PAINT_PLAIN, 6, 15, "changed  %s", removed);
	if (finding->used != UINT64_MAX)
		text_line(report, PAINT_PLAIN, 6, 15, "used     GPA 0x%" PRIx64, finding->used);
	if (origin)
		show_origin(report, origin);
}

static void emit_place(struct json_object *line, const char *key, const struct report_place *place)
{
	struct json_object *object;
	struct json_object *callers;

	if (!*place->at)
		return;
	object = json_object_new_object();
	callers = json_object_new_array();
	json_add_string(object, "at", place->at);
	for (unsigned int i = 0; i < place->caller_count; i++)
		json_object_array_add(callers, json_text(place->callers[i]));
	json_object_object_add(object, "callers", callers);
	json_object_object_add(line, key, object);
}

static void emit_origin(struct json_object *line, const struct report_origin *origin)
{
	emit_place(line, "used_at", &origin->used);
	emit_place(line, "changed_at", &origin->changed);
	if (!origin->has_entry)
		return;
	json_add_hex(line, "entry", origin->entry);
	json_add_hex(line, "old", origin->old);
	json_add_hex(line, "value", origin->value);
}

static void emit_finding(struct report *report, const struct tlb_finding *finding,
			 const struct report_origin *origin)
{
	struct json_object *line = json_start(report, "tlb_finding");
	const struct tlb_debt *debt = &finding->debt;

	json_add_string(line, "rule", tlb_rules[finding->rule].word);
	json_add_number(line, "event", finding->seq);
	json_add_number(line, "cpu", finding->cpu);
	json_add_hex(line, "address", finding->address);
	if (finding->used != UINT64_MAX)
		json_add_hex(line, "used", finding->used);
	if (finding->has_debt) {
		json_add_number(line, "owed_by", debt->cpu);
		json_add_hex(line, "gva", debt->va);
		json_add_hex(line, "gpa", debt->frame);
		json_add_number(line, "level", debt->level);
		json_add_bool(line, "table", debt->is_table);
		if (!debt->is_table)
			json_add_string(line, "rights", RIGHTS_TEXT(debt->rights));
		json_add_bool(line, "global", debt->is_global);
		json_add_number(line, "pcid", debt->pcid);
		json_add_number(line, "since", debt->since);
		json_add_number(line, "remover", debt->remover);
		if (debt->thread)
			json_add_hex(line, "thread", debt->thread);
		json_add_bool(line, "over", debt->is_over);
		json_add_bool(line, "replaced", debt->is_replaced);
	}
	if (origin)
		emit_origin(line, origin);
	json_finish(report, line);
}

void replay_findings(struct report *report, const struct report_replay *replay)
{
	const struct tlb_result *result = replay->result;

	if (report->format == REPORT_TEXT && result->finding_count)
		text_heading(report, "Findings");
	for (size_t i = 0; i < result->finding_count; i++) {
		const struct report_origin *origin = replay->origins ? &replay->origins[i] : NULL;

		if (report->format == REPORT_TEXT)
			show_finding(report, i + 1, &result->findings[i], origin);
		else
			emit_finding(report, &result->findings[i], origin);
	}
	if (report->format == REPORT_TEXT && tlb_result_findings(result) > result->finding_count)
		text_line(report, PAINT_BAD, 2, 2, "... and %" PRIu64 " more of the same rules",
			  tlb_result_findings(result) - result->finding_count);
}

/* ---- events ---- */

/* The name and the value of a field; false for the entries of a page. */
static bool field_of(const struct tlb_event *event, char letter, const char **name, uint64_t *value)
{
	switch (letter) {
	case 'A':
		*name = "address";
		*value = event->address;
		return true;
	case 'V':
		*name = "value";
		*value = event->value;
		return true;
	case 'O':
		*name = "old";
		*value = event->old;
		return true;
	case 'T':
		*name = "thread";
		*value = event->thread;
		return true;
	default: return false;
	}
}

static unsigned int entry_count(const struct tlb_event *event)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < 512; i++)
		count += event->entries[i] != 0;
	return count;
}

static void show_event(struct report *report, uint64_t seq, const struct tlb_event *event)
{
	char line[240];
	struct strbuf text = STRBUF(line);

	strbuf_add(&text, "%10" PRIu64 "  CPU %-3u  %-15s", seq, event->cpu, tlb_event_word(event->kind));
	for (const char *field = tlb_event_fields(event->kind); *field; field++) {
		const char *name;
		uint64_t value;

		if (field_of(event, *field, &name, &value))
			strbuf_add(&text, "  %s 0x%" PRIx64, name, value);
		else
			strbuf_add(&text, "  %u entries", entry_count(event));
	}
	if (event->flags)
		strbuf_add(&text, "  flags 0x%x", event->flags);
	fprintf(report->stream, "%s\n", line);
}

void report_event(struct report *report, uint64_t seq, const struct tlb_event *event)
{
	struct json_object *line;

	if (report->format == REPORT_TEXT) {
		show_event(report, seq, event);
		return;
	}
	line = json_start(report, "tlb_event");
	json_add_number(line, "event", seq);
	json_add_number(line, "cpu", event->cpu);
	json_add_string(line, "kind", tlb_event_word(event->kind));
	json_add_number(line, "flags", event->flags);
	for (const char *field = tlb_event_fields(event->kind); *field; field++) {
		const char *name;
		uint64_t value;

		if (field_of(event, *field, &name, &value))
			json_add_hex(line, name, value);
		else
			json_add_number(line, "entries", entry_count(event));
	}
	json_finish(report, line);
}
