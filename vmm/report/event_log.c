/* SPDX-License-Identifier: MIT */
/*
 * event_log.c: figures of the guest's event log and of the TLB model that it was fed to.
 */
#include "history/history.h"
#include "report/json.h"
#include "report/run_parts.h"
#include "report/text.h"

static void show(struct report *report, const struct history_stats *stats, const struct tlb_stats *tlb)
{
	char records[40], stores[60], flushes[40], needless[32], compared[40], most[40];

	text_line(report, PAINT_PLAIN, 2, 14, "event log   %s: %s to page tables, %s, %s of them needless",
		  text_number_of(stats->records, "record", records, sizeof(records)),
		  text_number_of(stats->stores, "store", stores, sizeof(stores)),
		  text_number_of(stats->flushes, "flush", flushes, sizeof(flushes)),
		  text_count(stats->needless, needless, sizeof(needless)));
	text_line(report, PAINT_PLAIN, 14, 14,
		  "%s compared with the page tables; at most %s that a CPU could hold unflushed%s",
		  text_number_of(stats->entries_compared, "entry", compared, sizeof(compared)),
		  text_number_of(tlb->debts_most, "translation", most, sizeof(most)),
		  stats->has_invlpg ? "; as many INVLPG as KVM has counted" : "");
}

void part_event_log(struct report *report, const struct report_run *run)
{
	const struct history_stats *stats;
	const struct tlb_stats *tlb;
	struct json_object *line;

	if (!run->history)
		return;
	stats = history_stats(run->history);
	tlb = tlb_stats(history_tlb(run->history));
	if (report->format != REPORT_JSON) {
		show(report, stats, tlb);
		return;
	}
	line = json_start(report, "event_log");
	json_add_number(line, "records", stats->records);
	json_add_number(line, "stores", stats->stores);
	json_add_number(line, "flushes", stats->flushes);
	json_add_number(line, "needless", stats->needless);
	json_add_number(line, "rounds", stats->rounds);
	json_add_number(line, "invlpg", stats->invlpg);
	json_add_bool(line, "invlpg_compared", stats->has_invlpg);
	json_add_number(line, "entries_compared", stats->entries_compared);
	json_add_number(line, "times_full", stats->laps);
	json_add_number(line, "debts_made", tlb->debts_made);
	json_add_number(line, "debts_most", tlb->debts_most);
	json_add_number(line, "rule_findings", tlb_finding_count(history_tlb(run->history)));
	json_add_number(line, "left_out", history_not_seen(run->history));
	json_finish(report, line);
}
