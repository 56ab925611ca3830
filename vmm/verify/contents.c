/* SPDX-License-Identifier: MIT */
/*
 * contents.c: V12. The memory that the host's walk leads to has the bytes that the script wrote through the
 * guest's mapping.
 */
#include "verify/check.h"

#include "kvmap/operation.h"

#include <inttypes.h>
#include <string.h>

/* The bytes of a page by the walk, or NULL. */
static const uint8_t *page_bytes(const struct facts *facts, uint64_t gva)
{
	const struct leaf *leaf = facts_leaf_at(facts, gva);

	return leaf ? view_bytes(facts->view, leaf->gpa + (gva - leaf->gva), KVMAP_PAGE_SIZE) : NULL;
}

/* Copies the word at `at` of the page, or what is left of it. */
static uint64_t word_at(const uint8_t *bytes, uint64_t at)
{
	uint64_t word = 0, left = KVMAP_PAGE_SIZE - at;

	memcpy(&word, bytes + at, left < sizeof(word) ? left : sizeof(word));
	return word;
}

static void check_page(struct check *check, const struct claim_variable *variable,
		       const struct claim_area *area, uint64_t base)
{
	uint64_t gva = area->va_start + base, expected = 0;
	const uint8_t *bytes = page_bytes(check->facts, gva);
	uint64_t at = bytes ? contents_first_wrong(variable, bytes, base, KVMAP_PAGE_SIZE, &expected) : 0;
	struct finding *finding;

	check->result->checked++;
	if (at == KVMAP_PAGE_SIZE)
		return;
	finding = finding_new_pages(check, gva + at,
				    &(struct finding_pages){ gva, KVMAP_PAGE_SIZE, "contents", !bytes });
	finding_claimed(finding, "0x%016" PRIx64, expected);
	if (bytes)
		finding_found(finding, "0x%016" PRIx64 ", the first of the page that differs",
			      word_at(bytes, at));
	else
		finding_found(finding, "no memory there");
	finding_where_area(finding, check, area);
}

static void check_filled(struct check *check, const struct claim_variable *variable,
			 const struct claim_area *area)
{
	bool filled = variable->contents == CONTENTS_ZERO || variable->contents == CONTENTS_PATTERN;
	uint64_t known = filled ? variable->filled : 0;
	uint64_t pages = variable->size / KVMAP_PAGE_SIZE + (variable->size % KVMAP_PAGE_SIZE != 0);

	uint64_t has = area->frame_count;

	/* Chains are bounded by memory. The claimed page count of a VM_MAP area is cut to that. */
	if (area->flags & VM_MAP)
		has = area->nr_pages < check->facts->claims->max_pfn ? area->nr_pages
								     : check->facts->claims->max_pfn;
	if (pages != has) {
		struct finding *finding = finding_new(check, variable->address);

		finding_claimed(finding, "%" PRIu64 " bytes filled", variable->size);
		finding_found(finding, "the area has %" PRIu64 " pages", has);
		finding_where_area(finding, check, area);
	}
	if (pages > has)
		pages = has;
	/* After vrealloc() less than all of it may be known. */
	for (uint64_t base = 0; base < pages * KVMAP_PAGE_SIZE; base += KVMAP_PAGE_SIZE)
		if (base < known ||
		    (base < variable->zero_end && base + KVMAP_PAGE_SIZE > variable->zero_start))
			check_page(check, variable, area, base);
}

static void check_written(struct check *check, const struct claim_variable *variable,
			  const struct claim_area *area)
{
	const struct facts *facts = check->facts;
	struct finding *finding;
	struct error error;
	uint64_t word;
	int read = walk_read(facts->view, facts->input->mode, variable->write_address, &word, sizeof(word),
			     &error);

	check->result->checked++;
	if (read == 0 && word == variable->write_value)
		return;
	finding = finding_new_page(check, variable->write_address);
	finding_claimed(finding, "0x%016" PRIx64 ", written last", variable->write_value);
	if (read == 0)
		finding_found(finding, "0x%016" PRIx64, word);
	else
		finding_found(finding, "no memory there");
	finding_where_area(finding, check, area);
}

/* With slab_debug every word of a free object is poison. */
static void check_free_objects(struct check *check)
{
	const struct claims *claims = check->facts->claims;

	check->result->checked += claims->poisoned_objects;
	for (size_t i = 0; i < claims->freed_writes.count; i++) {
		const struct claim_freed_write *write = &claims->freed_writes.items[i];
		const struct claim_cache *cache = &claims->caches[write->cache];
		struct finding *finding =
			finding_new_about(check, write->address,
					  (struct finding_object){ OBJECT_VIRTUAL, write->object,
								   write->object + cache->object_size });

		finding_claimed(finding, "0x%016" PRIx64 " in a free object",
				KMALLOC_POISON * UINT64_C(0x0101010101010101));
		finding_found(finding, "0x%016" PRIx64 ": it was written after it was freed", write->value);
		finding_where(finding, "the free object at 0x%" PRIx64 " of %s, %" PRIu32 " bytes",
			      write->object, cache->name, cache->object_size);
	}
}

void check_contents(struct check *check)
{
	const struct claims *claims = check->facts->claims;

	check_free_objects(check);
	for (size_t i = 0; i < claims->variables.count; i++) {
		const struct claim_variable *variable = &claims->variables.items[i];
		const struct claim_area *area;

		if (variable->state != VARIABLE_LIVE)
			continue;
		if (variable->address >= KVMAP_DIRECT_BASE && variable->address < KVMAP_VMALLOC_START) {
			check_object(check, variable);
			continue;
		}
		area = claims_area_at(claims, variable->address);
		if (!area || area->state != AREA_LIVE || area->deferred ||
		    area->va_start != variable->address) {
			struct finding *finding = finding_new(check, variable->address);

			finding_claimed(finding, "a variable of the script holds a live area");
			finding_found(finding, "no live area starts here");
			finding_where_gva(finding, check, variable->address);
			continue;
		}
		if (contents_are_stated(variable))
			check_filled(check, variable, area);
		if (variable->write_address)
			check_written(check, variable, area);
	}
}
