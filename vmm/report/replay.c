/* SPDX-License-Identifier: MIT */
/*
 * replay.c: a line for each rule, figures, what was not seen, and the sentence at the end.
 */
#include "report/replay.h"

#include "base/strbuf.h"
#include "report/json.h"
#include "report/text.h"

#include <inttypes.h>

/* ---- numbers: one table for text and JSON ---- */

struct number {
	const char *key, *text;
	uint64_t value;
};

/* The first one without a key ends them. */
struct numbers {
	struct number items[20];
};

static struct numbers figures_of(const struct tlb_result *result)
{
	const struct tlb_stats *stats = &result->stats;
	uint64_t flushes = 0, needless = 0;

	for (unsigned int i = 0; i < TLB_EVENT_KINDS; i++) {
		flushes += stats->flushes[i];
		needless += stats->needless[i];
	}
	return (struct numbers){ {
		{ "entries_changed", "entries of tables changed", stats->entries_changed },
		{ "tables_linked", "page tables linked", stats->tables_linked },
		{ "tables_most", "page tables at once, most", stats->tables_most },
		{ "debts_made", "debts made", stats->debts_made },
		{ "debts_paid", "debts paid by flushes", stats->debts_paid },
		{ "debts_most", "debts at once, most", stats->debts_most },
		{ "debts_now", "debts at the end", stats->debts_now },
		{ "longest_debt", "longest debt, in events", stats->longest_debt },
		{ "flushes", "flushes", flushes },
		{ "needless", "needless flushes: nothing was owed", needless },
		{ "disbelieved", "flushes ignored on purpose (--disbelieve)", stats->disbelieved },
		{ "uses_early", "uses of what is owed while its removal goes on", stats->uses_early },
		{ "uses_harmless", "uses of what is owed that the tables allow", stats->uses_harmless },
		{ "frames_freed_owed", "frames freed before their flush", stats->frames_freed_owed },
		{ "kernel_over", "kernel translations owed after their removal returned",
		  stats->kernel_over },
		{ "halted_owed", "debts of halted CPUs when others flushed", stats->halted_owed },
	} };
}

static struct numbers not_seen_of(const struct tlb_result *result)
{
	const struct tlb_stats *stats = &result->stats;

	return (struct numbers){ {
		{ "unknown_tables", "page tables whose contents are not known", stats->unknown_tables },
		{ "unknown_walks", "walks through such tables", stats->unknown_walks },
		{ "pages_dropped", "page tables beyond the limit", stats->pages_dropped },
		{ "debts_dropped", "debts beyond the limits", stats->debts_dropped },
		{ "contexts_dropped", "PCIDs beyond the limit", stats->contexts_dropped },
		{ "places_dropped", "addresses of shared tables beyond the limit", stats->places_dropped },
		{ "rounds_unknown", "flush rounds without a request", stats->rounds_unknown },
		{ "work_dropped", "walks and comparisons beyond the bound of work", stats->work_dropped },
		{ "stores_elsewhere", "stores to pages that are not known as tables",
		  stats->stores_elsewhere },
	} };
}

/* ---- text ---- */

static void show_numbers(struct report *report, const char *title, const struct numbers *numbers)
{
	bool has_title = false;

	for (const struct number *number = numbers->items; number->key; number++) {
		char text[40];

		if (!number->value)
			continue;
		if (!has_title)
			text_heading(report, title);
		has_title = true;
		text_line(report, PAINT_PLAIN, 2, 18, "%14s  %s",
			  text_count(number->value, text, sizeof(text)), number->text);
	}
}

static void show_flushes(struct report *report, const struct tlb_stats *stats)
{
	char line[240];
	struct strbuf text = STRBUF(line);

	for (unsigned int i = 0; i < TLB_EVENT_KINDS; i++)
		if (stats->flushes[i])
			strbuf_add_item(&text, ", ", "%s %" PRIu64 " (%" PRIu64 " needless)",
					tlb_event_word(i), stats->flushes[i], stats->needless[i]);
	if (text.length)
		text_line(report, PAINT_PLAIN, 2, 18, "%14s  %s", "by kind:", line);
}

static void show_rules(struct report *report, const struct tlb_result *result, bool was_run)
{
	text_heading(report, "Rules");
	for (unsigned int i = 0; i < TLB_RULE_COUNT; i++) {
		bool is_rule = result->config.rules & TLB_RULE_BIT(i);
		uint64_t matches = result->matches[i];

		/* Other rules are of events that QEMU does not give. */
		if (was_run && !(tlb_profile_rules('A') & TLB_RULE_BIT(i)))
			continue;
		text_line(report,
			  !is_rule  ? PAINT_FAINT
			  : matches ? PAINT_BAD
				    : PAINT_PLAIN,
			  2, 32, "%-14s  %8" PRIu64 " %-5s %s", tlb_rules[i].word, matches,
			  !is_rule  ? "-"
			  : matches ? "WRONG"
				    : "ok",
			  tlb_rules[i].proves);
	}
	text_line(report, PAINT_FAINT, 2, 2, "-: a figure in this profile, never a finding");
}

/* The most debts of each eighth of the run: whether they go on to grow. */
static void show_samples(struct report *report, const struct report_replay *replay)
{
	char line[240];
	struct strbuf text = STRBUF(line);
	size_t step = (replay->sample_count + 7) / 8;

	for (size_t i = 0; step && i < replay->sample_count; i += step) {
		uint32_t most = 0;

		for (size_t j = i; j < i + step && j < replay->sample_count; j++)
			most = replay->samples[j] > most ? replay->samples[j] : most;
		strbuf_add_item(&text, ", ", "%" PRIu32, most);
	}
	if (text.length)
		text_line(report, PAINT_PLAIN, 2, 18, "%14s  %s: the most in each %" PRIu64 " events",
			  "debts over time:", line, replay->sample_every * step);
}

static void show_sentence(struct report *report, const struct report_replay *replay)
{
	uint64_t findings = tlb_result_findings(replay->result);
	char events[40], text[60], after[320] = "";
	struct strbuf rest = STRBUF(after);

	if (replay->is_cut)
		strbuf_add(&rest, " The file has more.");
	if (replay->end)
		strbuf_add(&rest, " %s.", replay->end);
	text_count(replay->result->seq, events, sizeof(events));
	fputc('\n', report->stream);
	if (findings)
		text_line(report, PAINT_BAD, 0, 2, "NOT VERIFIED: %s in %s events.%s",
			  text_number_of(findings, "finding", text, sizeof(text)), events, after);
	else if (replay->not_done)
		text_line(report, PAINT_BAD, 0, 2,
			  "NOT VERIFIED: %s; no findings in the %s events until then.%s", replay->not_done,
			  events, after);
	else if (!replay->result->stats.entries_changed)
		text_line(report, PAINT_BAD, 0, 2,
			  "Nothing could be verified: no entry of a page table changed.%s", after);
	else
		text_line(report, PAINT_GOOD, 0, 2, "VERIFIED: %s events, no findings.%s", events, after);
}

/* ---- JSON ---- */

static void emit_numbers(struct json_object *line, const char *key, const struct numbers *numbers)
{
	struct json_object *object = json_object_new_object();

	for (const struct number *number = numbers->items; number->key; number++)
		json_add_number(object, number->key, number->value);
	json_object_object_add(line, key, object);
}

static void emit_run(struct json_object *line, const struct report_replay *replay)
{
	struct json_object *samples = json_object_new_array();

	json_add_string(line, "end", replay->end);
	if (replay->not_done)
		json_add_string(line, "not_done", replay->not_done);
	json_add_number(line, "sample_every", replay->sample_every);
	for (size_t i = 0; i < replay->sample_count; i++)
		json_object_array_add(samples, json_object_new_int64(replay->samples[i]));
	json_object_object_add(line, "debts", samples);
}

static void emit_verdict(struct report *report, const struct report_replay *replay,
			 const struct numbers *figures, const struct numbers *not_seen)
{
	struct json_object *line = json_start(report, "tlb_verdict");
	struct json_object *matches = json_object_new_object(), *rules = json_object_new_array();
	const struct tlb_result *result = replay->result;
	uint64_t findings = tlb_result_findings(result);

	json_add_string(line, "file", replay->file);
	json_add_bool(line, "ok", !findings && !replay->not_done && result->stats.entries_changed);
	json_add_bool(line, "cut", replay->is_cut);
	json_add_number(line, "findings", findings);
	json_add_number(line, "events", result->seq);
	json_add_number(line, "cpus", result->config.cpus);
	if (replay->was_run)
		emit_run(line, replay);
	for (unsigned int i = 0; i < TLB_RULE_COUNT; i++) {
		json_add_number(matches, tlb_rules[i].word, result->matches[i]);
		if (result->config.rules & TLB_RULE_BIT(i))
			json_object_array_add(rules, json_text(tlb_rules[i].word));
	}
	json_object_object_add(line, "rules", rules);
	json_object_object_add(line, "matches", matches);
	emit_numbers(line, "figures", figures);
	emit_numbers(line, "not_seen", not_seen);
	json_finish(report, line);
}

/* The rules cannot see these, whatever the run. */
static void show_blind(struct report *report, const struct report_replay *replay)
{
	if (!replay->was_run)
		return;
	text_line(report, PAINT_FAINT, 2, 18,
		  "%14s  DMA to page tables, speculation, addresses that no CPU used", "never:");
	text_line(report, PAINT_FAINT, 2, 18,
		  "%14s  which frame a fetch, and the second page of an access, used", "never:");
}

void report_replay(struct report *report, const struct report_replay *replay)
{
	const struct tlb_result *result = replay->result;
	const struct numbers figures = figures_of(result), not_seen = not_seen_of(result);

	if (report->format != REPORT_TEXT) {
		replay_findings(report, replay);
		emit_verdict(report, replay, &figures, &not_seen);
		return;
	}
	text_line(report, PAINT_BOLD, 0, 2, "%s: %u CPU%s", replay->file, result->config.cpus,
		  result->config.cpus == 1 ? "" : "s");
	show_rules(report, result, replay->was_run);
	replay_findings(report, replay);
	show_numbers(report, "Figures", &figures);
	show_flushes(report, &result->stats);
	show_samples(report, replay);
	show_numbers(report, "Not seen", &not_seen);
	show_blind(report, replay);
	show_sentence(report, replay);
}
