/* SPDX-License-Identifier: MIT */
/*
 * totals.c: counters of areas, faults and flushes.
 */
#include "report/json.h"
#include "base/strbuf.h"
#include "report/picture_parts.h"
#include "report/text.h"

#include <inttypes.h>
#include <string.h>

#define FAULT_KINDS KVMAP_NR_FAULT_KINDS

struct faults {
	uint64_t expected, by_kind[FAULT_KINDS];
	uint64_t checked, agreed;
};

static struct faults count_faults(const struct report_run *run)
{
	struct faults faults = { 0 };

	for (size_t i = 0; i < run->step_count; i++) {
		const struct report_step *step = &run->steps[i];
		const struct kvmap_operation *operation = step_operation(run, step);

		if (!step->fault.type)
			continue;
		if (step->fault_checked) {
			faults.checked++;
			faults.agreed += step_walk_agrees(step);
		}
		if (operation && operation->expect == KVMAP_EXPECT_FAULT && step->result.status == KVMAP_OK) {
			faults.expected++;
			if (step->fault.detail < FAULT_KINDS)
				faults.by_kind[step->fault.detail]++;
		}
	}
	return faults;
}

/* "2 guard, 1 freed" */
static const char *list_kinds(const struct faults *faults, char *out, size_t size)
{
	struct strbuf list = strbuf_of(out, size);

	for (unsigned int kind = 1; kind < FAULT_KINDS; kind++)
		if (faults->by_kind[kind])
			strbuf_add_item(&list, ", ", "%" PRIu64 " %s", faults->by_kind[kind],
					fault_kind_name((uint16_t)kind));
	return out;
}

static void show_faults(struct report *report, const struct report_run *run)
{
	struct faults faults = count_faults(run);
	char kinds[120], count[40];

	if (faults.expected)
		text_line(report, PAINT_PLAIN, 2, 14, "faults      %s as expected: %s",
			  text_count(faults.expected, count, sizeof(count)),
			  list_kinds(&faults, kinds, sizeof(kinds)));
	if (faults.checked)
		text_line(report, faults.agreed == faults.checked ? PAINT_PLAIN : PAINT_BAD,
			  faults.expected ? 14 : 2, 14,
			  "%sthe host walked the tables at each; it agreed at %" PRIu64 " of %" PRIu64,
			  faults.expected ? "" : "faults      ", faults.agreed, faults.checked);
}

static void show_areas(struct report *report, const struct claims *claims)
{
	char allocations[40], pages[40], frees[40], waiting[60] = "";
	size_t live = 0, deferred = 0;

	for (size_t i = 0; i < claims->areas.count; i++) {
		live += claims->areas.items[i].state == AREA_LIVE;
		deferred += claims->areas.items[i].deferred;
	}
	if (deferred)
		snprintf(waiting, sizeof(waiting), ", %zu deferred", deferred);
	text_line(report, PAINT_PLAIN, 2, 14,
		  "areas       %s allocated with %s, %s freed; %zu live now%s, %zu lazily freed",
		  text_count(claims->stats.allocations, allocations, sizeof(allocations)),
		  text_number_of(claims->stats.pages_mapped, "page", pages, sizeof(pages)),
		  text_count(claims->stats.frees, frees, sizeof(frees)), live - deferred, waiting,
		  claims->areas.count - live);
}

static void show_kmalloc(struct report *report, const struct claims *claims)
{
	char objects[40], slabs[40], caches[40], frames[40], blocks[40], block_frames[40];
	struct kmalloc_totals totals;

	picture_kmalloc_count(claims, &totals);
	if (totals.slabs)
		text_line(report, PAINT_PLAIN, 2, 14, "slabs       %s in use in %s (%s) of %s",
			  text_number_of(totals.objects, "object", objects, sizeof(objects)),
			  text_number_of(totals.slabs, "slab", slabs, sizeof(slabs)),
			  text_number_of(totals.slab_frames, "frame", frames, sizeof(frames)),
			  text_number_of(totals.caches, "cache", caches, sizeof(caches)));
	if (totals.blocks)
		text_line(report, PAINT_PLAIN, 2, 14,
			  "blocks      %s of alloc_pages() or large kmalloc(), %s",
			  text_count(totals.blocks, blocks, sizeof(blocks)),
			  text_number_of(totals.block_frames, "frame", block_frames, sizeof(block_frames)));
}

static void show_flushes(struct report *report, const struct claims *claims)
{
	uint64_t full = claims->stats.flush_full, ranged = claims->stats.flush_range;
	char count[40], frees[40], single[40], areas[40], pages[40], by_page[80] = "";

	text_number_of(claims->stats.frees, "free", frees, sizeof(frees));
	if (!full && !ranged) {
		text_line(report, PAINT_PLAIN, 2, 14, "flushes     none yet, for %s", frees);
		return;
	}
	if (ranged)
		snprintf(by_page, sizeof(by_page), ", %s of them page by page (%s)",
			 text_count(ranged, count, sizeof(count)),
			 text_number_of(claims->stats.flush_pages, "INVLPG", single, sizeof(single)));
	text_line(report, PAINT_PLAIN, 2, 14, "flushes     %s for %s%s; they released %s and %s",
		  text_count(full + ranged, count, sizeof(count)), frees, by_page,
		  text_number_of(claims->stats.areas_purged, "range", areas, sizeof(areas)),
		  text_number_of(claims->stats.pages_purged, "frame", pages, sizeof(pages)));
	if (claims->stats.frees > full + ranged)
		text_line(report, PAINT_PLAIN, 14, 14,
			  "batching saved %s compared with a flush at every free",
			  text_count(claims->stats.frees - full - ranged, count, sizeof(count)));
}

/* TLB shootdowns of several CPUs, those of the boot included. */
static void show_rounds(struct report *report, const struct claims *claims)
{
	char rounds[40], ipis[40], idle[40];

	text_line(report, PAINT_PLAIN, 14, 14, "TLB shootdowns of %u CPUs: %s, %s sent, %s skipped",
		  claims->cpu_count, text_number_of(claims->tlb_rounds, "round", rounds, sizeof(rounds)),
		  text_number_of(claims->tlb_ipis, "IPI", ipis, sizeof(ipis)),
		  text_number_of(claims->tlb_idle_skipped, "idle CPU", idle, sizeof(idle)));
}

/*
 * An entry of the flush log: a completed flush, an unmapping, a loss of rights, or a CPU that halts or wakes.
 */
static void emit_flush(struct report *report, const struct claim_flush *flush)
{
	uint32_t event = flush->cpu & TLB_FLUSH_EVENT;
	bool has_range = !event || event & (TLB_FLUSH_UNMAP | TLB_FLUSH_PROTECT | TLB_FLUSH_TABLE);
	struct json_object *line = json_start(report, event == TLB_FLUSH_UNMAP     ? "unmap"
						      : event == TLB_FLUSH_PROTECT ? "protect"
						      : event == TLB_FLUSH_TABLE   ? "table"
						      : event == TLB_FLUSH_IDLE    ? "idle"
						      : event == TLB_FLUSH_WAKE    ? "wake"
										   : "flush");

	json_add_number(line, "stamp", flush->stamp);
	json_add_number(line, "cpu", TLB_FLUSH_CPU(flush->cpu));
	if (event == TLB_FLUSH_UNMAP && flush->cpu & TLB_FLUSH_EXEC)
		json_add_bool(line, "executable", true);
	if (has_range) {
		json_add_hex(line, "start", flush->start);
		json_add_hex(line, "end", flush->end);
	}
	json_finish(report, line);
}

static void emit_totals(struct report *report, const struct report_run *run)
{
	struct faults faults = count_faults(run);
	struct kmalloc_totals kmalloc;
	struct json_object *line = json_start(report, "totals");

	if (run->claims) {
#define ADD_STATISTIC(structure, counter) json_add_number(line, #counter, run->claims->stats.counter);
		KVMAP_VMALLOC_STATS(ADD_STATISTIC, vmalloc_stats)
		picture_kmalloc_count(run->claims, &kmalloc);
		json_add_number(line, "slab_objects", kmalloc.objects);
		json_add_number(line, "slabs", kmalloc.slabs);
		json_add_number(line, "slab_frames", kmalloc.slab_frames);
		json_add_number(line, "blocks", kmalloc.blocks);
		json_add_number(line, "block_frames", kmalloc.block_frames);
	}
	if (run->claims && run->cpus > 1) {
		json_add_number(line, "flush_rounds", run->claims->tlb_rounds);
		json_add_number(line, "flush_ipis", run->claims->tlb_ipis);
		json_add_number(line, "flush_spared", run->claims->tlb_idle_skipped);
	}
	json_add_number(line, "faults_expected", faults.expected);
	json_add_number(line, "faults_checked", faults.checked);
	json_add_number(line, "faults_agreed", faults.agreed);
	json_add_number(line, "verifications", run->verifications);
	json_add_number(line, "dropped_records", run->dropped_records);
	json_finish(report, line);
}

void part_totals(struct report *report, const struct report_run *run)
{
	if (report->format == REPORT_JSON) {
		for (size_t i = 0; run->claims && i < run->claims->flushes.count; i++)
			emit_flush(report, &run->claims->flushes.items[i]);
		emit_totals(report, run);
		part_event_log(report, run);
		return;
	}
	text_heading(report, "In all");
	if (run->claims) {
		show_areas(report, run->claims);
		show_kmalloc(report, run->claims);
	}
	show_faults(report, run);
	if (run->claims) {
		show_flushes(report, run->claims);
		if (run->claims->cpu_count > 1)
			show_rounds(report, run->claims);
	} else {
		text_line(report, PAINT_PLAIN, 2, 2, "The claims of the guest could not be read.");
	}
	part_event_log(report, run);
}
