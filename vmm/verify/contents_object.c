/* SPDX-License-Identifier: MIT */
/*
 * contents_object.c: V12 for what kmalloc gave out: it lies in the direct map, in an object or a block that
 * is large enough, physically contiguous, and holds what the script put there.
 */
#include "verify/check.h"

#include "kvmap/operation.h"

#include <inttypes.h>
#include <string.h>

/* Bytes from the variable's address to the end of the object or block that begins there; 0 if none does. */
static uint64_t room_at(const struct facts *facts, uint64_t gpa)
{
	const struct claim_page *page = claims_page(facts->claims, gpa >> KVMAP_PAGE_SHIFT);
	uint64_t offset = gpa % KVMAP_PAGE_SIZE;

	if (page && page->owner == PAGE_KMALLOC && page->order <= MAX_ORDER && !offset)
		return (uint64_t)KVMAP_PAGE_SIZE << page->order;
	for (uint32_t i = 0; page && page->owner == PAGE_SLAB && i < facts->claims->cache_count; i++) {
		const struct claim_cache *cache = &facts->claims->caches[i];

		if (cache->index == page->cache && cache->object_size && offset % cache->object_size == 0)
			return cache->object_size;
	}
	return 0;
}

static void find_words(struct check *check, uint64_t gva, const uint8_t *bytes, uint64_t size,
		       uint64_t expected)
{
	struct finding *finding;
	uint64_t word;

	for (uint64_t at = 0; at < size; at += sizeof(word)) {
		memcpy(&word, bytes + at, sizeof(word));
		if (word == expected)
			continue;
		finding = finding_new_page(check, gva + at);
		finding_claimed(finding, "0x%016" PRIx64, expected);
		finding_found(finding, "0x%016" PRIx64 ", the first of the page that differs", word);
		finding_where_gva(finding, check, gva + at);
		return;
	}
}

/* One page of the object, by the walk; its frame must be the one that `gpa` says, and the first `known` bytes
 * are `expected`. */
static void check_piece(struct check *check, uint64_t gva, uint64_t gpa, uint64_t size, uint64_t known,
			uint64_t expected)
{
	const struct leaf *leaf = facts_leaf_at(check->facts, gva);
	uint64_t at = leaf ? leaf->gpa + (gva - leaf->gva) : 0;
	const uint8_t *bytes = leaf && at == gpa ? view_bytes(check->facts->view, gpa, size) : NULL;
	struct finding *finding;

	check->result->checked++;
	if (bytes) {
		find_words(check, gva, bytes, known < size ? known : size, expected);
		return;
	}
	finding = finding_new_page(check, gva);
	finding_claimed(finding, "contiguous memory, GPA 0x%" PRIx64 " here", gpa);
	finding_found(finding, leaf ? "GPA 0x%" PRIx64 : "no memory there", at);
	finding_where_gva(finding, check, gva);
}

static void check_written(struct check *check, const struct claim_variable *variable)
{
	uint64_t gpa = variable->write_address - KVMAP_DIRECT_BASE;
	const uint8_t *bytes = view_bytes(check->facts->view, gpa, sizeof(uint64_t));

	check->result->checked++;
	if (bytes)
		find_words(check, variable->write_address, bytes, sizeof(uint64_t), variable->write_value);
}

void check_object(struct check *check, const struct claim_variable *variable)
{
	uint64_t gpa = variable->address - KVMAP_DIRECT_BASE, room = room_at(check->facts, gpa);
	uint64_t size = (variable->size + 7) & ~7ull, filled = variable->filled & ~7ull;

	if (!variable->size || size < variable->size || size > room) {
		struct finding *finding = finding_new(check, variable->address);

		finding_claimed(finding, "%" PRIu64 " bytes of kmalloc", variable->size);
		finding_found(finding, "%" PRIu64 " bytes allocated there", room);
		finding_where_gva(finding, check, variable->address);
		return;
	}
	if (filled > size)
		filled = size;
	for (uint64_t at = 0; at < size; at += KVMAP_PAGE_SIZE) {
		uint64_t left = size - at, expected = 0;
		bool stated = variable->contents == CONTENTS_ZERO || variable->contents == CONTENTS_PATTERN;

		if (variable->contents == CONTENTS_PATTERN)
			expected = KVMAP_PATTERN(variable->fill_seed, at / KVMAP_PAGE_SIZE);
		check_piece(check, variable->address + at, gpa + at,
			    left < KVMAP_PAGE_SIZE ? left : KVMAP_PAGE_SIZE,
			    stated && filled > at ? filled - at : 0, expected);
	}
	if (variable->write_address)
		check_written(check, variable);
}
