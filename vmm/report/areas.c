/* SPDX-License-Identifier: MIT */
/*
 * areas.c: `areas SOURCE`: each area as the guest claims it, in the form of Linux's /proc/vmallocinfo; below
 * it what the page tables say, and the verdict.
 */
#include "base/strbuf.h"
#include "claims/area_tables.h"
#include "inspect/address.h"
#include "kvmap/layout.h"
#include "report/areas.h"
#include "report/json.h"
#include "report/text.h"
#include "report/vmallocinfo.h"

#include <inttypes.h>
#include <string.h>

/* One area, its tables and its findings. */
struct area_report {
	const struct report_areas *about;
	size_t index;
	const struct claim_area *area;
	struct area_tables tables;
	uint32_t findings; /* bits: 1 << invariant */
};

/* Adds V2 for a lazily freed area with pages mapped: the verdict lists only the first findings of a kind. */
static uint32_t findings_of(const struct area_report *shown)
{
	uint32_t findings = shown->about->findings[shown->index];

	return shown->area->state == AREA_LAZY && shown->tables.pages ? findings | 1u << 2 : findings;
}

/* " V1 V3". Returns out. */
static const char *invariants_text(uint32_t findings, char *out, size_t size)
{
	struct strbuf list = strbuf_of(out, size);

	for (unsigned int i = 1; i <= INVARIANTS; i++)
		if (findings & 1u << i)
			strbuf_add(&list, " %s", invariant_name(i));
	return out;
}

/* Whether the frames that the area claims are one physically contiguous run, and its address. */
static bool claims_one_run(const struct area_report *shown, uint64_t *gpa_out)
{
	const struct claims *claims = shown->about->claims;

	if (claims_area_runs(claims, shown->area) != 1)
		return false;
	*gpa_out = (uint64_t)claims->frames.items[shown->area->first_frame] * KVMAP_PAGE_SIZE;
	return true;
}

/* ---- text ---- */

static void show_claims(struct report *report, const struct area_report *shown)
{
	const struct claim_area *area = shown->area;
	char caller[500], flags[200], pages[48] = "", phys[48] = "", nodes[160], line[1200];
	bool live = area->state == AREA_LIVE;
	uint64_t gpa;

	vmallocinfo_caller(shown->about->symbols, area->caller, caller, sizeof(caller));
	if (area->nr_pages)
		snprintf(pages, sizeof(pages), " pages=%" PRIu32, area->nr_pages);
	if (claims_one_run(shown, &gpa))
		snprintf(phys, sizeof(phys), " phys=0x%" PRIx64, gpa);
	/*
	 * As in /proc/vmallocinfo, one line for each area, however long; a terminal wraps it at words.
	 */
	snprintf(line, sizeof(line), "0x%016" PRIx64 "-0x%016" PRIx64 " %7" PRIu64 "%s%s%s%s%s%s%s",
		 live ? area->addr : area->va_start, live ? area->addr + area->size : area->va_end,
		 live ? area->size : area->va_end - area->va_start,
		 area->deferred ? " deferred"
		 : live         ? ""
				: " lazily freed",
		 area->caller ? " " : "", area->caller ? caller : "", pages, phys,
		 vmallocinfo_flags(area->flags, true, flags, sizeof(flags)),
		 vmallocinfo_nodes(shown->about->claims, area, nodes, sizeof(nodes)));
	/* All strings are escaped. */
	if (report->columns)
		text_line(report, PAINT_PLAIN, 0, 4, "%s", line);
	else
		fprintf(report->stream, "%s\n", line);
}

static const char *rights_of(const struct area_tables *tables, char *out, size_t size)
{
	if (tables->rights == tables->rights_some)
		snprintf(out, size, "%s", RIGHTS_TEXT(tables->rights));
	else
		snprintf(out, size, "%s to %s", RIGHTS_TEXT(tables->rights),
			 RIGHTS_TEXT(tables->rights_some));
	return out;
}

static void show_tables(struct report *report, const struct area_report *shown)
{
	const struct area_tables *tables = &shown->tables;
	char pages[40], large[64] = "", rights[24], runs[40], mapped[200] = "nothing mapped", wrong[80];
	const char *name = claims_area_variable(shown->about->claims, shown->area);

	if (tables->large)
		snprintf(large, sizeof(large), " (%" PRIu64 " of them in large ones)", tables->large);
	if (tables->pages)
		snprintf(mapped, sizeof(mapped), "%s %s%s in %s from GPA 0x%" PRIx64,
			 text_number_of(tables->pages, "page", pages, sizeof(pages)),
			 rights_of(tables, rights, sizeof(rights)), large,
			 text_number_of(tables->runs, "run", runs, sizeof(runs)), tables->gpa);
	text_line(report, shown->findings || tables->cut_short ? PAINT_BAD : PAINT_GOOD, 2, 4,
		  "%s%stables: %s, guard 0x%016" PRIx64 " %s:%s%s", name ? name : "", name ? ", " : "",
		  mapped, claim_area_guard(shown->area), tables->guard_mapped ? "MAPPED" : "not mapped",
		  shown->findings ? invariants_text(shown->findings, wrong, sizeof(wrong)) : " ok",
		  tables->cut_short ? "; INCOMPLETE: there are more tables than memory can hold" : "");
}

static void show_finding(struct report *report, const struct area_report *shown,
			 const struct finding *finding)
{
	if (finding->area == shown->index + 1)
		text_line(report, PAINT_BAD, 4, 8, "%s at 0x%" PRIx64 ": claimed %s; found %s",
			  invariant_name(finding->invariant), finding->address, finding->claimed,
			  finding->found);
}

static void show_findings(struct report *report, const struct area_report *shown)
{
	const struct verdict *verdict = shown->about->verdict;

	if (!shown->findings)
		return;
	for (size_t i = 0; i < verdict->findings.count; i++) {
		show_finding(report, shown, &verdict->findings.items[i]);
		for (size_t j = 0; j < verdict->further.count; j++)
			if (verdict->further.items[j].of == i)
				show_finding(report, shown, &verdict->further.items[j]);
	}
}

/* ---- JSON ---- */

static struct json_object *flags_object(uint64_t flags)
{
	struct json_object *array = json_object_new_array();
	char text[200], *word, *rest;

	vmallocinfo_flags(flags, true, text, sizeof(text));
	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		json_object_array_add(array, json_text(word));
	return array;
}

static struct json_object *findings_object(uint32_t findings)
{
	struct json_object *array = json_object_new_array();

	for (unsigned int i = 1; i <= INVARIANTS; i++)
		if (findings & 1u << i)
			json_object_array_add(array, json_object_new_string(invariant_name(i)));
	return array;
}

static struct json_object *tables_object(const struct area_tables *tables)
{
	struct json_object *object = json_object_new_object();
	char rights[24];

	json_add_number(object, "pages", tables->pages);
	if (tables->pages) {
		json_add_number(object, "large", tables->large);
		json_add_number(object, "runs", tables->runs);
		json_add_hex(object, "gpa", tables->gpa);
		json_add_string(object, "rights", rights_of(tables, rights, sizeof(rights)));
	}
	json_add_bool(object, "guard_mapped", tables->guard_mapped);
	json_add_bool(object, "cut_short", tables->cut_short);
	return object;
}

static void emit_area(struct report *report, const struct area_report *shown)
{
	struct json_object *line = json_start(report, "area");
	const struct claim_area *area = shown->area;
	const char *variable = claims_area_variable(shown->about->claims, area);
	char caller[256] = "";
	uint64_t gpa;

	if (shown->about->symbols)
		symbols_describe(shown->about->symbols, area->caller, caller, sizeof(caller));
	json_add_hex(line, "address", area->va_start);
	if (variable)
		json_add_string(line, "variable", variable);
	json_add_number(line, "size", claim_area_bytes(area));
	json_add_number(line, "requested", area->requested_size);
	json_add_string(line, "state", address_area_state(area));
	json_add_hex(line, "flags", area->flags);
	json_object_object_add(line, "flag_words", flags_object(area->flags));
	json_add_string(line, "caller", caller);
	json_add_number(line, "pages", area->nr_pages);
	json_add_number(line, "frames", area->frame_count);
	json_add_number(line, "runs", claims_area_runs(shown->about->claims, area));
	if (claims_one_run(shown, &gpa))
		json_add_hex(line, "phys", gpa);
	json_add_hex(line, "guard", claim_area_guard(area));
	json_object_object_add(line, "tables", tables_object(&shown->tables));
	json_object_object_add(line, "findings", findings_object(shown->findings));
	json_add_bool(line, "ok", !shown->findings && !shown->tables.cut_short);
	json_finish(report, line);
}

/* ---- all ---- */

static void put_sum(struct report *report, const struct report_areas *about, uint64_t wrong, uint64_t others)
{
	uint64_t count = about->only ? 1 : about->claims->areas.count;
	const char *not_about = about->only ? " not about it" : " about no area";
	char areas[40], other[40], all[60] = "";
	struct json_object *line;

	if (about->only)
		snprintf(all, sizeof(all), " of %zu", about->claims->areas.count);

	if (report->format == REPORT_TEXT) {
		text_line(report, wrong || others ? PAINT_BAD : PAINT_PLAIN, 0, 2,
			  "%s%s, %" PRIu64 " of them wrong%s%s%s%s",
			  text_number_of(count, "area", areas, sizeof(areas)), all, wrong,
			  others ? "; and " : "",
			  others ? text_number_of(others, "finding", other, sizeof(other)) : "",
			  others ? not_about : "", others ? ": see `kvmap verify`" : "");
		return;
	}
	line = json_start(report, "areas");
	json_add_number(line, "areas", count);
	json_add_number(line, "wrong", wrong);
	json_add_number(line, "other_findings", others);
	json_finish(report, line);
}

/* Returns whether something of it is wrong. *budget: as of area_tables(). */
static bool put_area(struct report *report, const struct report_areas *about, size_t index, uint64_t *budget)
{
	struct area_report shown = { .about = about,
				     .index = index,
				     .area = &about->claims->areas.items[index] };

	area_tables(about->view, about->mode, shown.area, budget, &shown.tables);
	shown.findings = findings_of(&shown);
	if (report->format == REPORT_JSON) {
		emit_area(report, &shown);
	} else {
		show_claims(report, &shown);
		show_tables(report, &shown);
		show_findings(report, &shown);
	}
	return shown.findings || shown.tables.cut_short;
}

void report_area(struct report *report, const struct report_areas *about, const struct claim_area *area)
{
	uint64_t budget = area_tables_budget(about->view, about->claims);

	put_area(report, about, (size_t)(area - about->claims->areas.items), &budget);
}

static bool is_reported(const struct report_areas *about, size_t index)
{
	return !about->only || about->only == &about->claims->areas.items[index];
}

uint64_t report_areas(struct report *report, const struct report_areas *about)
{
	uint64_t budget = area_tables_budget(about->view, about->claims), wrong = 0, others;
	size_t listed = 0;

	for (size_t i = 0; i < about->claims->areas.count; i++)
		if (is_reported(about, i))
			wrong += put_area(report, about, i, &budget);
	for (size_t i = 0; i < about->verdict->findings.count; i++) {
		size_t area = about->verdict->findings.items[i].area;

		listed += area && is_reported(about, area - 1);
	}
	others = about->verdict->findings.count - listed;
	put_sum(report, about, wrong, others);
	return wrong;
}
