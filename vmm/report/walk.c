/* SPDX-License-Identifier: MIT */
/*
 * walk.c: `walk SOURCE ADDRESS`: one translation, level by level, as text.
 */
#include "base/number.h"
#include "base/page.h"
#include "base/strbuf.h"
#include "inspect/address.h"
#include "paging/memory_type.h"
#include "report/pte.h"
#include "report/text.h"
#include "report/walk_parts.h"

#include <inttypes.h>
#include <string.h>

bool walk_has_key(const struct report_walk *input)
{
	return input->walk->rights & RIGHT_U ? input->rules->user_keys : input->rules->system_keys;
}

bool walk_level_has_key(const struct report_walk *input, const struct walk_level *level)
{
	return level->is_page && !level->reserved && walk_has_key(input);
}

unsigned int walk_level_rights(const struct walk_level *level)
{
	return level->entry & PTE_P ? level->rights : 0;
}

/* "WP NXE SMEP; off: SMAP PKE PKS" */
static const char *switches(const struct access_rules *rules, char *out, size_t size)
{
	const struct {
		const char *name;
		bool on;
	} all[] = {
		{ "WP", rules->write_protect }, { "NXE", rules->no_execute }, { "SMEP", rules->smep },
		{ "SMAP", rules->smap },        { "PKE", rules->user_keys },  { "PKS", rules->system_keys },
	};
	char on[40], off[40];
	struct strbuf lists[] = { STRBUF(off), STRBUF(on) };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		strbuf_add(&lists[all[i].on], " %s", all[i].name);
	snprintf(out, size, "%s%s%s%s%s", *on ? "on:" : "", on, *on && *off ? "; " : "", *off ? "off:" : "",
		 off);
	return out;
}

static void show_levels(struct report *report, const struct report_walk *input)
{
	const struct view_cpu *cpu = &input->view->cpus[input->cpu];
	char decoded[160], text[100], pcid[24] = "";

	if (cpu->cr4 & CR4_PCIDE)
		snprintf(pcid, sizeof(pcid), ", PCID %u", (unsigned int)(cpu->cr3 & CR3_PCID));
	text_line(report, PAINT_FAINT, 0, 2,
		  "CPU %u: %u-level tables from CR3 0x%" PRIx64 "%s, MAXPHYADDR %u%s; %s%s", input->cpu,
		  input->mode->levels, input->mode->root, pcid, input->mode->physical_bits,
		  input->view->physical_bits_assumed ? " (assumed)" : "",
		  switches(input->rules, text, sizeof(text)),
		  cpu->lacks & VIEW_LACKS_EFER ? "; NXE is assumed" : "");
	if (input->walk->level_count)
		text_line(report, PAINT_BOLD, 2, 2, "%-7s  %13s  %5s  %-18s  %-6s  %s", "level", "table GPA",
			  "index", "entry", "effective permissions", "");
	for (unsigned int i = 0; i < input->walk->level_count; i++) {
		const struct walk_level *level = &input->walk->levels[i];

		text_line(report, PAINT_PLAIN, 2, 61,
			  "%u %-5s  0x%011" PRIx64 "  %5u  0x%016" PRIx64 "  %-6s  %s", level->level,
			  entry_level_name(level->level), level->table, level->index, level->entry,
			  RIGHTS_TEXT(walk_level_rights(level)),
			  entry_text(level, walk_level_has_key(input, level), decoded, sizeof(decoded)));
	}
}

static void show_stop(struct report *report, const struct report_walk *input)
{
	const struct walk *walk = input->walk;
	const struct walk_level *last = walk->level_count ? &walk->levels[walk->level_count - 1] : NULL;
	char why[80];

	if (walk->stop == WALK_RESERVED_BIT && last)
		text_line(report, PAINT_BAD, 0, 6, "stops: reserved bit set at level %s: 0x%" PRIx64 " (%s)",
			  entry_level_name(last->level), last->reserved,
			  entry_reserved_text(last, input->mode, why, sizeof(why)));
	else if (walk->stop == WALK_TABLE_OUTSIDE)
		text_line(report, PAINT_BAD, 0, 6, "stops: table outside guest memory: the %s at 0x%" PRIx64,
			  entry_level_name(last ? last->level - 1 : input->mode->levels),
			  last ? last->entry & PTE_ADDRESS : input->mode->root);
	else
		text_line(report, PAINT_BAD, 0, 6, "stops: %s%s%s", walk_stop_text(walk->stop),
			  last ? " at level " : "", last ? entry_level_name(last->level) : "");
}

static void show_access(struct report *report, const struct report_walk *input)
{
	static const char *const names[] = { [ACCESS_SUPERVISOR] = "supervisor", [ACCESS_USER] = "user" };

	text_line(report, PAINT_BOLD, 0, 2, "%-12s  %-22s  %-22s  %s", "access", "read", "write", "execute");
	for (enum access_mode mode = ACCESS_SUPERVISOR; mode <= ACCESS_USER; mode++)
		text_line(report, PAINT_PLAIN, 2, 2, "%-10s  %-22s  %-22s  %s", names[mode],
			  access_text(walk_may(input, mode, ACCESS_READ)),
			  access_text(walk_may(input, mode, ACCESS_WRITE)),
			  access_text(walk_may(input, mode, ACCESS_FETCH)));
}

enum access_answer walk_may(const struct report_walk *input, enum access_mode mode, enum access_kind kind)
{
	return access_may(input->rules, input->walk->rights, input->walk->key, mode, kind);
}

uint64_t walk_hva(const struct view_region *region, uint64_t gpa)
{
	return (region->hva ? region->hva : (uintptr_t)region->bytes) + (gpa - region->gpa);
}

static void show_memory(struct report *report, const struct report_walk *input)
{
	const struct view_region *region = view_region(input->view, input->walk->gpa, 1);
	char size[40], offset[64] = "";
	uint64_t inside;

	if (!region) {
		text_line(report, PAINT_BAD, 0, 8,
			  "slot    none: there is no memory, an access would exit to the VMM");
		return;
	}
	inside = input->walk->gpa - region->gpa;
	if (region->fd >= 0)
		snprintf(offset, sizeof(offset), ", offset 0x%" PRIx64 " of its file",
			 region->offset + inside);
	text_line(report, PAINT_PLAIN, 0, 8,
		  "slot    byte 0x%" PRIx64 " of the %s of memory at GPA 0x%" PRIx64, inside,
		  number_bytes(region->size, size, sizeof(size)), region->gpa);
	text_line(report, PAINT_PLAIN, 0, 8, "HVA     0x%" PRIx64 "%s", walk_hva(region, input->walk->gpa),
		  offset);
}

static void add_level(struct walk_stage2 *found, unsigned int level, uint64_t entry)
{
	found->levels[found->level_count].level = level;
	found->levels[found->level_count++].entry = entry;
}

void walk_stage2_find(const struct report_walk *input, struct walk_stage2 *out)
{
	const struct stage2 *stage2 = input->stage2;
	uint64_t gpa = input->walk->gpa;
	const struct stage2_leaf *leaf = stage2_leaf_at(stage2, gpa);

	*out = (struct walk_stage2){ 0 };
	for (unsigned int level = STAGE2_LEVELS; level > (leaf ? leaf->level : 1u); level--) {
		const struct stage2_upper *upper = stage2_upper_at(stage2, gpa, level);

		if (upper)
			add_level(out, level, upper->entry);
	}
	if (!leaf)
		return;
	add_level(out, leaf->level, leaf->entry);
	out->mapped = true;
	out->page_size = page_level_size(leaf->level);
	out->hpa = stage2_entry_hpa(&stage2->format, leaf->level, leaf->entry) + (gpa & (out->page_size - 1));
}

static void show_stage2(struct report *report, const struct report_walk *input)
{
	struct walk_stage2 found;
	uint64_t effective;
	char decoded[96];

	if (!input->stage2) {
		text_line(report, PAINT_FAINT, 0, 8, "HPA     not seen: %s", input->no_stage2);
		return;
	}
	walk_stage2_find(input, &found);
	for (unsigned int i = 0; i < found.level_count; i++)
		text_line(report, PAINT_PLAIN, 0, 8, "%-6s  level %u  0x%016" PRIx64 "  %s",
			  i ? "" : stage2_kind_name(input->stage2->format.kind), found.levels[i].level,
			  found.levels[i].entry,
			  stage2_entry_text(&input->stage2->format, found.levels[i].level,
					    found.levels[i].entry, decoded, sizeof(decoded)));
	effective = input->walk->page_size < found.page_size ? input->walk->page_size : found.page_size;
	if (found.mapped)
		text_line(report, PAINT_GOOD, 0, 8, "HPA     0x%" PRIx64 " in a %s page; %s in effect",
			  found.hpa, page_size_name(found.page_size), page_size_name(effective));
	else
		text_line(report, PAINT_PLAIN, 0, 8, "HPA     none yet: the second stage maps no page there");
}

static void show_end(struct report *report, const struct report_walk *input)
{
	const struct walk *walk = input->walk;
	const struct view_cpu *cpu = &input->view->cpus[input->cpu];
	char key[24] = "";

	if (walk->stop != WALK_MAPPED) {
		show_stop(report, input);
		return;
	}
	if (walk_has_key(input))
		snprintf(key, sizeof(key), ", key %u", walk->key);
	text_line(report, PAINT_GOOD, 0, 8,
		  "GPA     0x%" PRIx64 " in a %s page, rights %s%s, %s memory (PAT entry %u%s)", walk->gpa,
		  page_size_name(walk->page_size), RIGHTS_TEXT(walk->rights), key,
		  memory_type(memory_type_pat(cpu), walk->pat_index), walk->pat_index,
		  cpu->has_pat ? "" : " as of the PAT register after a reset: the source does not have it");
	show_memory(report, input);
	show_stage2(report, input);
	show_access(report, input);
}

void report_walk(struct report *report, const struct report_walk *input)
{
	char location[400];

	address_explain(input->walk->gva, input->claims, input->symbols, location, sizeof(location));
	if (report->format == REPORT_JSON) {
		walk_emit(report, input, location);
		return;
	}
	text_line(report, PAINT_BOLD, 0, 2, "0x%016" PRIx64 ": %s", input->walk->gva, location);
	show_levels(report, input);
	show_end(report, input);
}
