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
				    &(struct finding_pages){ gva, KVMAP_PAGE_SIZE, "contents", !bytes,
							     .group = group_of_area(area) });
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
	/* A chain that could not be read to its end has its finding, of V1. */
	if (pages != has && !check_lacks(check, PART_OWNERS)) {
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
	uint64_t sum = 0, address = variable->write_address;
	uint8_t word[sizeof(uint64_t)];
	int read = 0;

	for (uint32_t i = 0; i < variable->write_words && read == 0; i++, address += sizeof(word)) {
		read = walk_read(facts->view, facts->input->mode, address, word, sizeof(word), &error);
		sum = contents_written_sum(word, read == 0, sum);
	}
	check->result->checked++;
	if (read == 0 && sum == variable->write_value)
		return;
	finding = finding_new_page(check, variable->write_address);
	contents_not_written(finding, variable, read == 0, sum);
	finding_where_area(finding, check, area);
}

/* With slab_debug every word of a free object is poison, and what follows a slab's objects is redzone and records. */
static void check_debug_writes(struct check *check)
{
	static const struct {
		const char *claimed, *found;
	} texts[] = {
		[WRITE_FREED] = { "in a free object", "it was written after it was freed" },
		[WRITE_BEYOND] = { "beyond the object", "it was written beyond its size" },
		[WRITE_RECORD] = { "or less, beyond the object: the record of its requested size",
				   "the record was overwritten" },
	};
	const struct claims *claims = check->facts->claims;

	check->result->checked += claims->poisoned_objects + claims->redzoned_slabs;
	for (size_t i = 0; i < claims->debug_writes.count; i++) {
		const struct claim_debug_write *write = &claims->debug_writes.items[i];
		const struct claim_cache *cache = &claims->caches[write->cache];
		struct finding *finding =
			finding_new_about(check, write->address,
					  (struct finding_object){ OBJECT_VIRTUAL, write->object,
								   write->object + cache->object_size });

		finding_claimed(finding, "0x%016" PRIx64 " %s", write->expected, texts[write->kind].claimed);
		finding_found(finding, "0x%016" PRIx64 ": %s", write->value, texts[write->kind].found);
		finding_where(finding, "the %sobject at 0x%" PRIx64 " of %s, %" PRIu32 " bytes",
			      write->kind == WRITE_FREED ? "free " : "", write->object, cache->name,
			      cache->object_size);
	}
}

void check_contents(struct check *check)
{
	const struct claims *claims = check->facts->claims;

	check_debug_writes(check);
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
			struct finding *finding;

			if (!area && check_lacks(check, PART_AREAS))
				continue;
			finding = finding_new(check, variable->address);
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
