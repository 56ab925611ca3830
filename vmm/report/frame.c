/* SPDX-License-Identifier: MIT */
/*
 * frame.c: `frames SOURCE FRAME`: the owner of a page frame, and every table and mapping that points to it.
 */
#include "base/number.h"
#include "inspect/address.h"
#include "kvmap/layout.h"
#include "base/page.h"
#include "base/strbuf.h"
#include "report/frames.h"
#include "report/json.h"
#include "report/text.h"

#include <inttypes.h>

/* ---- claims ---- */

static const char *reserved_name(const struct claims *claims, uint64_t pfn)
{
	static const char *const names[] = {
		[MEMBLOCK_RAM] = "RAM",
		[MEMBLOCK_LOW] = "memory below 1 MiB",
		[MEMBLOCK_IMAGE] = "the image",
		[MEMBLOCK_MEM_MAP] = "mem_map and the page tables made before it",
		[MEMBLOCK_MODULE] = "boot record and script",
		[MEMBLOCK_CPUS] = "stacks and descriptor tables of the CPUs",
	};

	for (uint32_t i = 0; i < claims->reserved_count; i++) {
		const struct claim_region *region = &claims->reserved[i];
		uint64_t gpa = pfn * KVMAP_PAGE_SIZE;

		if (gpa >= region->base && gpa - region->base < region->size)
			return region->kind < sizeof(names) / sizeof(names[0]) && names[region->kind]
				       ? names[region->kind]
				       : "for an unknown purpose";
	}
	return "nothing";
}

#define OBJECTS_LISTED 4

/* ": 64 bytes 'k' at byte 0x0, ...": the variables of the script that have bytes of the frame by kmalloc. */
static void add_objects(const struct report_frame *about, struct strbuf *out)
{
	uint64_t gva = KVMAP_DIRECT_BASE + about->pfn * KVMAP_PAGE_SIZE;
	const struct claim_variable *variable;
	size_t next = 0, count = 0;
	char bytes[40];

	while ((variable = claims_object_variable(about->claims, gva, KVMAP_PAGE_SIZE, &next))) {
		uint64_t address = variable->address;

		if (++count > OBJECTS_LISTED)
			continue;
		strbuf_add(out, "%s %s '%s' %s 0x%" PRIx64, count == 1 ? ":" : ",",
			   number_bytes(variable->size, bytes, sizeof(bytes)), variable->name,
			   address >= gva ? "at byte" : "from GPA",
			   address >= gva ? address - gva : address - KVMAP_DIRECT_BASE);
	}
	if (count > OBJECTS_LISTED)
		strbuf_add(out, " and %zu more", count - OBJECTS_LISTED);
}

/*
 * "page 3 of the 64 KiB area at 0x..., allocated by ...": the object that claims the frame; "" if its kind
 * says enough.
 */
static const char *claim_details(const struct report_frame *about, const struct keyed *owner, char *out,
				 size_t size)
{
	const struct claims *claims = about->claims;
	const struct claim_area *area;
	char bytes[40], caller[300], name[40];
	struct strbuf text = strbuf_of(out, size);

	out[0] = '\0';
	switch (OWNER_KIND(owner->tag)) {
	case OWNER_AREA:
	case OWNER_LAZY:
		area = &claims->areas.items[OWNER_INDEX(owner->tag)];
		snprintf(out, size, "page %" PRIu32 " of the %s area%s at 0x%016" PRIx64 "%s", owner->size,
			 number_bytes(claim_area_bytes(area), bytes, sizeof(bytes)),
			 text_variable(claims_area_variable(claims, area), name, sizeof(name)),
			 area->va_start, address_caller(area, about->symbols, caller, sizeof(caller)));
		break;
	case OWNER_SLAB:
		strbuf_add(&text, "%s", claims->caches[OWNER_INDEX(owner->tag)].name);
		add_objects(about, &text);
		break;
	case OWNER_RESERVED: snprintf(out, size, "%s", reserved_name(claims, about->pfn)); break;
	default:
		if (owner_frames(owner) > 1)
			strbuf_add(&text, "frame %" PRIu64 " of %" PRIu64 " from 0x%" PRIx64,
				   about->pfn - owner->key, owner_frames(owner), owner->key);
		if (OWNER_KIND(owner->tag) == OWNER_KMALLOC)
			add_objects(about, &text);
	}
	return out;
}

/* The next claim on the frame, from index *next on; NULL: there is none. */
static const struct keyed *next_claim(const struct report_frame *about, size_t *next)
{
	const struct keyed_array *list = &about->owners->list;

	while (*next < list->count && list->items[*next].key <= about->pfn) {
		const struct keyed *owner = &list->items[(*next)++];

		if (about->pfn - owner->key < owner_frames(owner))
			return owner;
	}
	return NULL;
}

static void show_claims(struct report *report, const struct report_frame *about)
{
	const struct claim_page *page = claims_page(about->claims, about->pfn);
	const struct keyed *owner;
	char details[500];
	size_t next = 0;

	while ((owner = next_claim(about, &next))) {
		claim_details(about, owner, details, sizeof(details));
		text_line(report, PAINT_PLAIN, 2, 16, "claimed by    %s%s%s",
			  frame_kinds[OWNER_KIND(owner->tag)].name, *details ? ": " : "", details);
	}
	if (!page) {
		text_line(report, PAINT_FAINT, 2, 16, "struct page   all zero");
		return;
	}
	text_line(report, PAINT_PLAIN, 2, 16,
		  "struct page   owner %s, order %u, cache %u, next 0x%" PRIx32 ", prev 0x%" PRIx32
		  ", vaddr 0x%" PRIx64 "; allocated at flush generation %" PRIu64 ", unmapped at %" PRIu64,
		  page_owner_name(page), page->order, page->cache, page->next, page->prev, page->vaddr,
		  page->allocated, page->unmapped);
}

/* ---- reaches ---- */

static void show_reach(struct report *report, const struct report_frame *about,
		       const struct frame_reach *reach)
{
	char location[400];

	if (!reach->level) {
		text_line(report, PAINT_PLAIN, 2, 4, "CR3 points to it: the top table");
		return;
	}
	if (!reach->is_leaf) {
		text_line(report, PAINT_PLAIN, 2, 4,
			  "0x%016" PRIx64 "  table of level %u, by entry %u of table 0x%" PRIx64
			  ", 0x%016" PRIx64,
			  reach->gva, reach->level - 1, reach->index, reach->table, reach->entry);
		return;
	}
	text_line(report, PAINT_PLAIN, 2, 4,
		  "0x%016" PRIx64 "  %-4s %s, by entry %u of table 0x%" PRIx64 ", 0x%016" PRIx64 ": %s",
		  reach->gva, RIGHTS_TEXT(reach->rights), page_size_name(page_level_size(reach->level)),
		  reach->index, reach->table, reach->entry,
		  address_explain(reach->gva, about->claims, about->symbols, location, sizeof(location)));
}

static void show_frame(struct report *report, const struct report_frame *about)
{
	const struct frame_reaches *reaches = about->reaches;
	uint64_t all = reaches->leaves + reaches->tables;
	char count[40], tables[40], more[40];

	text_line(report, PAINT_BOLD, 0, 2, "Frame 0x%" PRIx64 ", GPA 0x%" PRIx64 ": %s", about->pfn,
		  about->pfn * KVMAP_PAGE_SIZE,
		  about->run ? frame_kinds[about->run->kind].name : "no memory is there");
	if (about->claims)
		show_claims(report, about);
	text_line(report, PAINT_PLAIN, 2, 16, "reached       at %s, %s as a page table%s",
		  text_number_of(reaches->leaves, "address", count, sizeof(count)),
		  reaches->tables ? text_number_of(reaches->tables, "time", tables, sizeof(tables)) : "never",
		  reaches->cut_short ? "; THE WALK WAS CUT SHORT: there are more tables than memory can hold"
				     : "");
	for (size_t i = 0; i < reaches->list.count; i++)
		show_reach(report, about, &reaches->list.items[i]);
	if (all > reaches->list.count)
		text_line(report, PAINT_FAINT, 2, 4, "and %s more (--all lists them)",
			  text_count(all - reaches->list.count, more, sizeof(more)));
}

/* ---- JSON ---- */

static void emit_claims(struct report *report, const struct report_frame *about)
{
	const struct keyed *owner;
	char details[500];
	size_t next = 0;

	while ((owner = next_claim(about, &next))) {
		struct json_object *line = json_start(report, "frame_claim");

		json_add_string(line, "owner", frame_kinds[OWNER_KIND(owner->tag)].name);
		json_add_string(line, "details", claim_details(about, owner, details, sizeof(details)));
		json_finish(report, line);
	}
}

static void emit_reach(struct report *report, const struct report_frame *about,
		       const struct frame_reach *reach)
{
	struct json_object *line = json_start(report, "frame_reach");
	char location[400];

	json_add_string(line, "as", !reach->level ? "cr3" : reach->is_leaf ? "page" : "table");
	json_add_hex(line, "address", reach->gva);
	if (reach->level) {
		json_add_number(line, "level", reach->level);
		json_add_hex(line, "table", reach->table);
		json_add_number(line, "index", reach->index);
		json_add_hex(line, "entry", reach->entry);
	}
	if (reach->is_leaf) {
		json_add_string(line, "rights", RIGHTS_TEXT(reach->rights));
		json_add_string(line, "is",
				address_explain(reach->gva, about->claims, about->symbols, location,
						sizeof(location)));
	}
	json_finish(report, line);
}

static struct json_object *page_object(const struct claim_page *page)
{
	struct json_object *object = json_object_new_object();

	json_add_string(object, "owner", page_owner_name(page));
	json_add_number(object, "order", page->order);
	json_add_number(object, "cache", page->cache);
	json_add_hex(object, "next", page->next);
	json_add_hex(object, "prev", page->prev);
	json_add_hex(object, "vaddr", page->vaddr);
	json_add_number(object, "handed", page->allocated);
	json_add_number(object, "unmapped", page->unmapped);
	return object;
}

static void emit_frame(struct report *report, const struct report_frame *about)
{
	const struct claim_page *page = about->claims ? claims_page(about->claims, about->pfn) : NULL;
	struct json_object *line;

	if (about->claims)
		emit_claims(report, about);
	for (size_t i = 0; i < about->reaches->list.count; i++)
		emit_reach(report, about, &about->reaches->list.items[i]);
	line = json_start(report, "frame");
	json_add_hex(line, "gpa", about->pfn * KVMAP_PAGE_SIZE);
	json_add_bool(line, "in_memory", about->run);
	if (about->run)
		json_add_string(line, "owner", frame_kinds[about->run->kind].name);
	if (page)
		json_object_object_add(line, "struct_page", page_object(page));
	json_add_number(line, "pages", about->reaches->leaves);
	json_add_number(line, "tables", about->reaches->tables);
	json_add_number(line, "listed", about->reaches->list.count);
	json_add_bool(line, "cut_short", about->reaches->cut_short);
	json_finish(report, line);
}

void report_frame(struct report *report, const struct report_frame *about)
{
	if (report->format == REPORT_TEXT)
		show_frame(report, about);
	else
		emit_frame(report, about);
}
