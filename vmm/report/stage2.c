/* SPDX-License-Identifier: MIT */
/*
 * stage2.c: `stage2 SOURCE`: the second-stage tables of the host's kernel, and their check.
 */
#include "base/number.h"
#include "base/page.h"
#include "report/json.h"
#include "report/stage2.h"
#include "report/text.h"
#include "verify/verify.h"

#include <inttypes.h>
#include <linux/kvm.h>
#include <string.h>

/* Tables above level 3 have no pages. Level 0: no page. */
static const char *page_name(unsigned int level)
{
	if (!level)
		return "none";
	return level <= 3 ? page_size_name(page_level_size(level)) : "";
}

static const char *mmu_name(const struct stage2 *stage2)
{
	return stage2->tdp_mmu ? "TDP MMU" : "shadow MMU";
}

static const char *slot_flags(uint32_t flags, char *out, size_t size)
{
	snprintf(out, size, "%s%s", flags & KVM_MEM_READONLY ? " read-only" : "",
		 flags & KVM_MEM_LOG_DIRTY_PAGES ? " dirty-log" : "");
	return out;
}

static void show_slots(struct report *report, const struct stage2 *stage2)
{
	char size[40], flags[40];

	text_heading(report, "Memory slots");
	text_line(report, PAINT_BOLD, 2, 2, "%6s  %-18s  %10s  %-18s", "number", "GPA", "size", "HVA");
	for (size_t i = 0; i < stage2->slots.count; i++) {
		const struct stage2_slot *slot = &stage2->slots.items[i];

		text_line(report, PAINT_PLAIN, 2, 2, "%6d  0x%016" PRIx64 "  %10s  0x%016" PRIx64 "%s",
			  slot->id, slot->gpa, number_bytes(slot->size, size, sizeof(size)), slot->hva,
			  slot_flags(slot->flags, flags, sizeof(flags)));
	}
}

static void show_level(struct report *report, unsigned int number, const struct stage2_level *level)
{
	char tables[32], links[32], leaves[32], writable[32], executable[32], accessed[32], dirty[32];

	text_line(report, PAINT_PLAIN, 2, 2, "%5u  %10s  %10s  %10s %-2s  %10s %10s %10s %10s", number,
		  text_count(level->tables, tables, sizeof(tables)),
		  text_count(level->links, links, sizeof(links)),
		  text_count(level->leaves, leaves, sizeof(leaves)), page_name(number),
		  text_count(level->writable, writable, sizeof(writable)),
		  text_count(level->executable, executable, sizeof(executable)),
		  text_count(level->accessed, accessed, sizeof(accessed)),
		  text_count(level->dirty, dirty, sizeof(dirty)));
}

static void show_marks(struct report *report, const struct stage2 *stage2)
{
	uint64_t mmio = 0, frozen = 0, odd = 0;
	char mmio_text[40], odd_text[40], frozen_text[40];

	for (unsigned int i = 1; i <= STAGE2_LEVELS; i++) {
		mmio += stage2->levels[i].mmio;
		frozen += stage2->levels[i].frozen;
		odd += stage2->levels[i].odd;
	}
	if (mmio)
		text_line(report, PAINT_PLAIN, 2, 2, "%s of KVM for MMIO",
			  text_number_of(mmio, "mark", mmio_text, sizeof(mmio_text)));
	if (frozen)
		text_line(report, PAINT_PLAIN, 2, 2, "%s that a CPU was changing",
			  text_number_of(frozen, "entry", frozen_text, sizeof(frozen_text)));
	if (odd)
		text_line(report, PAINT_FAINT, 2, 2,
			  "%s that KVM does not count as its own (with shadow paging, of the host's part)",
			  text_number_of(odd, "entry", odd_text, sizeof(odd_text)));
}

static void show_tables(struct report *report, const struct stage2 *stage2)
{
	text_heading(report, "Tables");
	text_line(report, PAINT_BOLD, 2, 2, "%5s  %10s  %10s  %13s  %10s %10s %10s %10s", "level", "tables",
		  "links", "pages", "writable", "executable", "accessed", "dirty");
	for (unsigned int i = STAGE2_LEVELS; i; i--)
		if (stage2->levels[i].tables)
			show_level(report, i, &stage2->levels[i]);
	if (!stage2->leaves.count)
		text_line(report, PAINT_FAINT, 2, 2,
			  "Nothing is mapped: KVM maps memory as the guest touches it.");
	show_marks(report, stage2);
}

static void show_effective(struct report *report, const struct stage2_effective *effective)
{
	char bytes[4][40], count[40];

	text_heading(report, "Effective TLB page size");
	text_line(report, PAINT_BOLD, 2, 2, "%-12s  %12s  %12s  %12s  %14s", "guest page", "4K", "2M", "1G",
		  "not mapped yet");
	for (unsigned int level = 1; level <= 3; level++) {
		uint64_t sum = 0;

		for (unsigned int i = 0; i < 4; i++) {
			sum += effective->bytes[level][i];
			number_bytes(effective->bytes[level][i], bytes[i], sizeof(bytes[i]));
		}
		if (sum)
			text_line(report, PAINT_PLAIN, 2, 2, "%-12s  %12s  %12s  %12s  %14s",
				  page_name(level), bytes[1], bytes[2], bytes[3], bytes[0]);
	}
	text_line(report, PAINT_PLAIN, 2, 2,
		  "%s of the guest splintered: the second stage maps them with smaller pages",
		  text_number_of(effective->splintered, "large page", count, sizeof(count)));
}

struct listing {
	struct report *report;
	const struct stage2 *stage2;
	uint64_t listed;
};

static void emit_finding(struct report *report, const struct stage2_leaf *leaf, const char *claimed,
			 const char *detail)
{
	struct json_object *line = json_start(report, "finding");

	json_add_string(line, "invariant", "V10");
	json_add_hex(line, "address", leaf->gpa);
	json_add_string(line, "claimed", claimed);
	json_add_string(line, "found", detail);
	json_add_string(line, "where", "the second stage");
	json_finish(report, line);
}

static void put_finding(void *context, const struct stage2_leaf *leaf, enum stage2_problem problem)
{
	struct listing *listing = context;
	char detail[200], claimed[160];

	if (++listing->listed > FINDINGS_LISTED)
		return;
	stage2_problem_detail(listing->stage2, leaf, problem, detail, sizeof(detail));
	if (listing->report->format == REPORT_JSON) {
		snprintf(claimed, sizeof(claimed), "a %s page that %s", page_name(leaf->level),
			 stage2_problem_text(problem));
		emit_finding(listing->report, leaf, claimed, detail);
		return;
	}
	text_line(listing->report, PAINT_BAD, 2, 6, "GPA 0x%" PRIx64 ": the %s page %s: %s", leaf->gpa,
		  page_name(leaf->level), stage2_problem_text(problem), detail);
}

/* Where no leaf was compared. */
static const char *why_not_compared(const struct stage2 *stage2)
{
	if (!stage2->leaves.count)
		return "not compared: the second stage has no leaf";
	return stage2->no_frames.text[0] ? stage2->no_frames.text
					 : "not compared: no leaf has an address in the process";
}

static void show_sentence(struct report *report, const struct report_stage2 *what,
			  const struct stage2_verdict *verdict)
{
	char leaves[40], frames[40], findings[40], read[32], decode[32], look_up[32];
	const struct stage2 *stage2 = what->stage2;

	fputc('\n', report->stream);
	text_line(report, PAINT_FAINT, 0, 2, "%s to copy, %s to decode, %s to look up frames",
		  text_duration(stage2->timing.read_ns, read, sizeof(read)),
		  text_duration(stage2->timing.decode_ns, decode, sizeof(decode)),
		  text_duration(stage2->timing.frames_ns, look_up, sizeof(look_up)));
	if (verdict->not_compared)
		text_line(report, PAINT_FAINT, 0, 2, "%s not compared: %s",
			  text_number_of(verdict->not_compared, "leaf entry", leaves, sizeof(leaves)),
			  stage2->no_frames.text[0]
				  ? stage2->no_frames.text
				  : "of another address space, or without an address in the process");
	if (stage2->unsteady)
		text_line(
			report, PAINT_BAD, 0, 2,
			"The VM changed its second stage while it was read, each time: findings may come from that.");
	text_number_of(verdict->leaves, "leaf entry", leaves, sizeof(leaves));
	text_number_of(verdict->frames, "frame", frames, sizeof(frames));
	if (!verdict->leaves)
		text_line(report, PAINT_PLAIN, 0, 2, "V10: not seen: no page could be compared.");
	else if (verdict->findings)
		text_line(report, PAINT_BAD, 0, 2, "NOT VERIFIED: %s; %s, %s compared.",
			  text_number_of(verdict->findings, "finding", findings, sizeof(findings)), leaves,
			  frames);
	else
		text_line(report, PAINT_GOOD, 0, 2,
			  "V10: %s, %s compared with those of the process, no findings.", leaves, frames);
}

static void show_text(struct report *report, const struct report_stage2 *what, struct stage2_verdict *verdict)
{
	const struct stage2 *stage2 = what->stage2;
	struct listing listing = { report, stage2, 0 };
	char roots[40], vcpus[40];

	text_line(report, PAINT_BOLD, 0, 2, "Second stage of process %d: %s, %s, %s, %s", (int)what->pid,
		  stage2_kind_name(stage2->format.kind), mmu_name(stage2),
		  text_number_of(stage2->roots, "root", roots, sizeof(roots)),
		  text_number_of(stage2->vcpus, "vCPU", vcpus, sizeof(vcpus)));
	show_slots(report, stage2);
	show_tables(report, stage2);
	if (what->effective) {
		show_effective(report, what->effective);
	} else {
		fputc('\n', report->stream);
		text_line(report, PAINT_FAINT, 0, 2, "The guest's own pages are not seen: %s.",
			  what->no_effective);
	}
	stage2_check_all(stage2, verdict, NULL, NULL);
	if (verdict->findings)
		text_heading(report, "Findings");
	stage2_check_all(stage2, verdict, put_finding, &listing);
	if (listing.listed > FINDINGS_LISTED)
		text_line(report, PAINT_BAD, 2, 2, "... and %" PRIu64 " more",
			  listing.listed - FINDINGS_LISTED);
	show_sentence(report, what, verdict);
}

static void emit_slots(struct report *report, const struct stage2 *stage2)
{
	for (size_t i = 0; i < stage2->slots.count; i++) {
		const struct stage2_slot *slot = &stage2->slots.items[i];
		struct json_object *line = json_start(report, "slot");

		json_object_object_add(line, "number", json_object_new_int(slot->id));
		json_add_hex(line, "gpa", slot->gpa);
		json_add_number(line, "size", slot->size);
		json_add_hex(line, "hva", slot->hva);
		json_add_number(line, "flags", slot->flags);
		json_finish(report, line);
	}
}

static void emit_levels(struct report *report, const struct stage2 *stage2)
{
	for (unsigned int i = STAGE2_LEVELS; i; i--) {
		const struct stage2_level *level = &stage2->levels[i];
		struct json_object *line;

		if (!level->tables)
			continue;
		line = json_start(report, "stage2_level");
		json_add_number(line, "level", i);
		json_add_number(line, "tables", level->tables);
		json_add_number(line, "links", level->links);
		json_add_number(line, "leaves", level->leaves);
		json_add_number(line, "page_size", i <= 3 ? page_level_size(i) : 0);
		json_add_number(line, "writable", level->writable);
		json_add_number(line, "executable", level->executable);
		json_add_number(line, "accessed", level->accessed);
		json_add_number(line, "dirty", level->dirty);
		json_add_number(line, "mmio", level->mmio);
		json_add_number(line, "frozen", level->frozen);
		json_add_number(line, "odd", level->odd);
		json_finish(report, line);
	}
}

static void emit_effective(struct report *report, const struct stage2_effective *effective)
{
	for (unsigned int level = 1; level <= 3; level++) {
		struct json_object *line = json_start(report, "effective");

		json_add_number(line, "guest_page_size", page_level_size(level));
		json_add_number(line, "not_there", effective->bytes[level][0]);
		json_add_number(line, "by_4k", effective->bytes[level][1]);
		json_add_number(line, "by_2m", effective->bytes[level][2]);
		json_add_number(line, "by_1g", effective->bytes[level][3]);
		json_finish(report, line);
	}
}

static void emit(struct report *report, const struct report_stage2 *what, struct stage2_verdict *verdict)
{
	const struct stage2 *stage2 = what->stage2;
	struct listing listing = { report, stage2, 0 };
	struct json_object *line;

	emit_slots(report, stage2);
	emit_levels(report, stage2);
	if (what->effective)
		emit_effective(report, what->effective);
	stage2_check_all(stage2, verdict, put_finding, &listing);
	line = json_start(report, "stage2");
	json_add_number(line, "pid", (uint64_t)what->pid);
	json_add_bool(line, "seen", verdict->leaves);
	json_add_string(line, "kind", stage2_kind_name(stage2->format.kind));
	json_add_string(line, "mmu", mmu_name(stage2));
	json_add_number(line, "vcpus", stage2->vcpus);
	json_add_number(line, "leaves", verdict->leaves);
	json_add_number(line, "frames", verdict->frames);
	json_add_number(line, "not_compared", verdict->not_compared);
	json_add_number(line, "splintered", what->effective ? what->effective->splintered : 0);
	json_add_bool(line, "unsteady", stage2->unsteady);
	json_add_bool(line, "ok", verdict->leaves && !verdict->findings);
	if (!verdict->leaves)
		json_add_string(line, "why", why_not_compared(what->stage2));
	json_add_number(line, "findings", verdict->findings);
	json_add_number(line, "read_ns", stage2->timing.read_ns);
	json_add_number(line, "decode_ns", stage2->timing.decode_ns);
	json_add_number(line, "frames_ns", stage2->timing.frames_ns);
	json_finish(report, line);
}

void report_stage2(struct report *report, const struct report_stage2 *what, struct stage2_verdict *verdict)
{
	if (report->format == REPORT_TEXT)
		show_text(report, what, verdict);
	else
		emit(report, what, verdict);
}

static void show_slot(struct report *report, const struct view_region *region, bool own)
{
	char size[40], hva[40] = "";

	if (own)
		snprintf(hva, sizeof(hva), ", HVA 0x%" PRIxPTR, (uintptr_t)region->bytes);
	text_line(report, PAINT_PLAIN, 2, 2, "slot at GPA 0x%" PRIx64 ", %s%s", region->gpa,
		  number_bytes(region->size, size, sizeof(size)), hva);
}

static void show_translated(struct report *report, const struct translated *translated)
{
	char asked[40], kvm[40] = "nothing";

	text_number_of(translated->asked, "address", asked, sizeof(asked));
	if (!translated->differing) {
		text_line(report, PAINT_PLAIN, 2, 2, "KVM_TRANSLATE agrees with the guest's tables at %s%s",
			  asked, translated->cut_short ? ", the first ones" : "");
		return;
	}
	if (translated->valid)
		snprintf(kvm, sizeof(kvm), "GPA 0x%" PRIx64, translated->kvm_gpa);
	text_line(report, PAINT_BAD, 2, 2,
		  "KVM_TRANSLATE differs from the guest's tables at %" PRIu64 " of %s, first at 0x%" PRIx64
		  ": %s, the tables say GPA 0x%" PRIx64,
		  translated->differing, asked, translated->gva, kvm, translated->walk_gpa);
}

static void show_not_seen(struct report *report, const struct report_not_seen *what)
{
	char count[32];

	text_line(report, PAINT_BOLD, 0, 2,
		  "Second stage of process %d: not seen. Known without it:", (int)what->pid);
	for (unsigned int i = 0; what->view && i < what->view->region_count; i++)
		show_slot(report, &what->view->regions[i], what->own);
	for (unsigned int level = 1; what->stats && level <= 3; level++)
		text_line(report, PAINT_PLAIN, 2, 2, "%s pages as counted by KVM: %s", page_name(level),
			  text_count(what->stats->pages[level], count, sizeof(count)));
	if (what->translated)
		show_translated(report, what->translated);
}

static void emit_not_seen(struct report *report, const struct report_not_seen *what)
{
	static const char *const names[] = { "", "pages_4k", "pages_2m", "pages_1g" };
	struct json_object *line;

	for (unsigned int i = 0; what->view && i < what->view->region_count; i++) {
		const struct view_region *region = &what->view->regions[i];

		line = json_start(report, "slot");
		json_add_hex(line, "gpa", region->gpa);
		json_add_number(line, "size", region->size);
		if (what->own)
			json_add_hex(line, "hva", (uintptr_t)region->bytes);
		json_finish(report, line);
	}
	line = json_start(report, "stage2");
	json_add_number(line, "pid", (uint64_t)what->pid);
	json_add_bool(line, "seen", false);
	for (unsigned int level = 1; what->stats && level <= 3; level++)
		json_add_number(line, names[level], what->stats->pages[level]);
	if (what->translated) {
		json_add_number(line, "translated", what->translated->asked);
		json_add_number(line, "translated_differing", what->translated->differing);
	}
	json_finish(report, line);
}

void report_stage2_not_seen(struct report *report, const struct report_not_seen *what)
{
	if (report->format == REPORT_TEXT)
		show_not_seen(report, what);
	else
		emit_not_seen(report, what);
}
