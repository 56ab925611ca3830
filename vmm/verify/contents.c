/* SPDX-License-Identifier: MIT */
/*
 * contents.c: V12. The memory that the host's walk leads to has the bytes that the script wrote through the
 * guest's mapping.
 */
#include "verify/check.h"

#include "kvmap/operation.h"

#include <inttypes.h>
#include <string.h>

#define WORDS (KVMAP_PAGE_SIZE / sizeof(uint64_t))

/* Index of the first word that is not `expected`; WORDS if there is none. Guest memory: bytes, copied as
 * read. */
static size_t first_other(const uint8_t *bytes, uint64_t expected)
{
	uint64_t differ = 0, word;

	for (size_t i = 0; i < WORDS; i++) {
		memcpy(&word, bytes + i * sizeof(word), sizeof(word));
		differ |= word ^ expected;
	}
	if (!differ)
		return WORDS;
	for (size_t i = 0; i < WORDS; i++) {
		memcpy(&word, bytes + i * sizeof(word), sizeof(word));
		if (word != expected)
			return i;
	}
	return WORDS;
}

/* The bytes of a page by the walk, or NULL. */
static const uint8_t *page_bytes(const struct facts *facts, uint64_t gva)
{
	const struct leaf *leaf = facts_leaf_at(facts, gva);

	return leaf ? view_bytes(facts->view, leaf->gpa + (gva - leaf->gva), KVMAP_PAGE_SIZE) : NULL;
}

static void check_page(struct check *check, const struct claim_area *area, uint64_t gva, uint64_t expected)
{
	const uint8_t *bytes = page_bytes(check->facts, gva);
	size_t at = bytes ? first_other(bytes, expected) : 0;
	struct finding *finding;
	uint64_t word;

	check->result->checked++;
	if (at == WORDS)
		return;
	finding = finding_new_pages(check, gva + at * sizeof(word),
				    &(struct finding_pages){ gva, KVMAP_PAGE_SIZE, "contents", !bytes });
	finding_claimed(finding, "0x%016" PRIx64, expected);
	if (bytes) {
		memcpy(&word, bytes + at * sizeof(word), sizeof(word));
		finding_found(finding, "0x%016" PRIx64 ", the first of the page that differs", word);
	} else {
		finding_found(finding, "no memory there");
	}
	finding_where_area(finding, check, area);
}

static void check_filled(struct check *check, const struct claim_variable *variable,
			 const struct claim_area *area)
{
	bool zero = variable->contents == CONTENTS_ZERO;
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
	for (uint64_t i = 0; i < pages && i < variable->filled / KVMAP_PAGE_SIZE; i++)
		check_page(check, area, area->va_start + i * KVMAP_PAGE_SIZE,
			   zero ? 0 : KVMAP_PATTERN(variable->fill_seed, i));
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

void check_contents(struct check *check)
{
	const struct claims *claims = check->facts->claims;

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
		if (variable->contents == CONTENTS_ZERO || variable->contents == CONTENTS_PATTERN)
			check_filled(check, variable, area);
		if (variable->write_address)
			check_written(check, variable, area);
	}
}
