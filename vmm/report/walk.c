/* SPDX-License-Identifier: MIT */
/*
 * walk.c: `walk SOURCE ADDRESS`: one translation, level by level.
 */
#include "report/json.h"
#include "report/place.h"
#include "report/text.h"

#include <inttypes.h>
#include <string.h>

static const char *level_name(unsigned int level)
{
	static const char *const names[] = { "?", "PT", "PD", "PDPT", "PML4", "PML5" };

	return level <= 5 ? names[level] : "?";
}

/* "P W A D NX -> table 0x2000" (SDM vol. 3A 4.5.4: what each bit is). */
static const char *entry_text(uint64_t entry, unsigned int level, char *out, size_t size)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} bits[] = {
		{ PTE_P, "P" },     { PTE_W, "W" }, { PTE_U, "U" }, { PTE_PWT, "PWT" },
		{ PTE_PCD, "PCD" }, { PTE_A, "A" }, { PTE_D, "D" }, { PTE_G, "G" },
	};
	bool page = level == 1 || (entry & PTE_PS && level <= 3);
	size_t used = 0;

	out[0] = '\0';
	if (!(entry & PTE_P)) {
		snprintf(out, size, "not present");
		return out;
	}
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		/* D and G mean something only in an entry that maps a page. */
		if (!(entry & bits[i].bit) || (!page && bits[i].bit & (PTE_D | PTE_G)))
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s%s", used ? " " : "", bits[i].name);
	}
	if (entry & PTE_NX)
		used += (size_t)snprintf(out + used, size - used, " NX");
	if (page && level > 1)
		used += (size_t)snprintf(out + used, size - used, " PS");
	snprintf(out + used, size - used, " -> %s 0x%" PRIx64, page ? "page" : level_name(level - 1),
		 (uint64_t)(entry & PTE_ADDRESS &
			    (page && level > 1 ? ~((1ull << (12 + 9 * (level - 1))) - 1) : ~0ull)));
	return out;
}

/* An entry that is not present grants nothing, whatever its other bits say. */
static const char *level_rights(const struct walk_level *level, char *out, size_t size)
{
	return text_rights(level->entry & PTE_P ? level->rights : 0, out, size);
}

static void show_levels(struct report *report, const struct walk *walk, const struct walk_mode *mode)
{
	char decoded[120], rights[8];

	text_line(report, PAINT_FAINT, 0, 2,
		  "%u-level tables from CR3 0x%" PRIx64 ", %u physical address bits%s", mode->levels,
		  mode->root, mode->physical_bits, mode->nx ? "" : ", NX off");
	if (walk->level_count)
		text_line(report, PAINT_BOLD, 2, 2, "%-7s  %13s  %5s  %-18s  %-6s  %s", "level", "table GPA",
			  "index", "entry", "so far", "");
	for (unsigned int i = 0; i < walk->level_count && i < 5; i++) {
		const struct walk_level *level = &walk->levels[i];

		text_line(report, PAINT_PLAIN, 2, 61,
			  "%u %-5s  0x%011" PRIx64 "  %5u  0x%016" PRIx64 "  %-6s  %s", level->level,
			  level_name(level->level), level->table, level->index, level->entry,
			  level_rights(level, rights, sizeof(rights)),
			  entry_text(level->entry, level->level, decoded, sizeof(decoded)));
	}
}

static const char *page_name(uint64_t page_size)
{
	return page_size >= 1 << 30 ? "1G" : page_size >= 2 << 20 ? "2M" : "4K";
}

static void show_end(struct report *report, const struct walk *walk, const struct view *view)
{
	const struct view_region *region;
	char rights[8];

	if (walk->stop != WALK_MAPPED) {
		text_line(report, PAINT_BAD, 0, 6, "stops: %s%s%s", walk_stop_text(walk->stop),
			  walk->level_count ? " at level " : "",
			  walk->level_count ? level_name(walk->levels[walk->level_count - 1].level) : "");
		return;
	}
	text_line(report, PAINT_GOOD, 0, 6, "GPA   0x%" PRIx64 " in a %s page, rights %s", walk->gpa,
		  page_name(walk->page_size), text_rights(walk->rights, rights, sizeof(rights)));
	region = view_region(view, walk->gpa, 1);
	if (region)
		text_line(report, PAINT_PLAIN, 0, 6,
			  "      byte 0x%" PRIx64 " of the region of RAM at GPA 0x%" PRIx64
			  ", HVA 0x%" PRIxPTR,
			  walk->gpa - region->gpa, region->gpa,
			  (uintptr_t)(region->bytes + (walk->gpa - region->gpa)));
	else
		text_line(report, PAINT_BAD, 0, 6,
			  "      no region of RAM is there: an access would go to nowhere");
}

static void show_text(struct report *report, const struct walk *walk, const struct walk_mode *mode,
		      const struct view *view, const char *place)
{
	text_line(report, PAINT_BOLD, 0, 2, "0x%016" PRIx64 ": %s", walk->gva, place);
	show_levels(report, walk, mode);
	show_end(report, walk, view);
}

static void emit_level(struct report *report, const struct walk_level *level)
{
	struct json_object *line = json_start(report, "level");
	char decoded[120], rights[8];

	json_add_number(line, "level", level->level);
	json_add_string(line, "name", level_name(level->level));
	json_add_hex(line, "table", level->table);
	json_add_number(line, "index", level->index);
	json_add_hex(line, "entry", level->entry);
	json_add_string(line, "decoded", entry_text(level->entry, level->level, decoded, sizeof(decoded)));
	json_add_string(line, "rights", level_rights(level, rights, sizeof(rights)));
	json_finish(report, line);
}

static void emit_walk(struct report *report, const struct walk *walk, const struct view *view,
		      const char *place)
{
	struct json_object *line = json_start(report, "walk");
	const struct view_region *region;
	char rights[8];

	json_add_hex(line, "address", walk->gva);
	json_add_string(line, "is", place);
	json_add_bool(line, "mapped", walk->stop == WALK_MAPPED);
	json_add_string(line, "stop", walk_stop_text(walk->stop));
	if (walk->stop == WALK_MAPPED) {
		json_add_hex(line, "gpa", walk->gpa);
		json_add_number(line, "page_size", walk->page_size);
		json_add_string(line, "rights", text_rights(walk->rights, rights, sizeof(rights)));
		region = view_region(view, walk->gpa, 1);
		json_add_bool(line, "in_ram", region);
		if (region) {
			json_add_hex(line, "region", region->gpa);
			json_add_hex(line, "hva", (uintptr_t)(region->bytes + (walk->gpa - region->gpa)));
		}
	}
	json_finish(report, line);
}

void report_walk(struct report *report, const struct walk *walk, const struct walk_mode *mode,
		 const struct view *view, const struct claims *claims, struct symbols *symbols)
{
	char place[400];

	place_explain(walk->gva, claims, symbols, place, sizeof(place));
	if (report->format == REPORT_TEXT) {
		show_text(report, walk, mode, view, place);
		return;
	}
	for (unsigned int i = 0; i < walk->level_count && i < 5; i++)
		emit_level(report, &walk->levels[i]);
	emit_walk(report, walk, view, place);
}
