/* SPDX-License-Identifier: MIT */
/*
 * contents_object.c: V12 for what kmalloc gave out: it lies in the direct map, in an object or a block that
 * is large enough, physically contiguous, and holds what the script put there.
 */
#include "verify/check.h"

#include "kvmap/operation.h"

#include <inttypes.h>
#include <string.h>

/* The object or block that begins at an address. */
struct room {
	uint64_t bytes;                  /* 0: nothing */
	uint64_t requested;              /* as recorded; 0: not recorded */
	const struct claim_cache *cache; /* NULL: a block */
};

static uint64_t number_at(const struct facts *facts, uint64_t gpa, size_t size)
{
	const uint8_t *bytes = view_bytes(facts->view, gpa, size);
	uint64_t number = 0;

	if (bytes)
		memcpy(&number, bytes, size);
	return number;
}

/* The requested size of an object, 0 if it is not recorded: it is that of the object, or was once. */
static uint64_t requested_at(const struct facts *facts, const struct claim_cache *cache, uint64_t gpa)
{
	uint64_t end = gpa + cache->object_size, slack;

	if (cache->link)
		return number_at(facts, gpa + cache->link, sizeof(uint64_t));
	if (!cache->slack)
		return 0;
	slack = number_at(facts, end - 1, 1);
	if (slack == KMALLOC_SLACK_LONG)
		slack = number_at(facts, end - 4, 2);
	return cache->object_size - slack;
}

static struct room room_at(const struct facts *facts, uint64_t gpa)
{
	const struct claim_page *page = claims_page(facts->claims, gpa >> KVMAP_PAGE_SHIFT);
	uint64_t offset = gpa % KVMAP_PAGE_SIZE;

	if (page && page->owner == PAGE_KMALLOC && page->order <= MAX_ORDER && !offset)
		return (struct room){ .bytes = (uint64_t)KVMAP_PAGE_SIZE << page->order,
				      .requested = page->requested };
	for (uint32_t i = 0; page && page->owner == PAGE_SLAB && i < facts->claims->cache_count; i++) {
		const struct claim_cache *cache = &facts->claims->caches[i];

		if (cache->index == page->cache && cache->object_size && offset % cache->object_size == 0)
			return (struct room){ .bytes = cache->object_size,
					      .requested = requested_at(facts, cache, gpa),
					      .cache = cache };
	}
	return (struct room){ 0 };
}

static void report_words(struct check *check, uint64_t gva, uint64_t expected, const uint8_t *bytes,
			 uint64_t left, const char *what)
{
	struct finding *finding = finding_new_page(check, gva);
	uint64_t word = 0;

	memcpy(&word, bytes, left < sizeof(word) ? left : sizeof(word));
	finding_claimed(finding, "0x%016" PRIx64, expected);
	finding_found(finding, "0x%016" PRIx64 ", %s", word, what);
	finding_where_gva(finding, check, gva);
}

/* One page of the object, by the walk; its frame must be the one that `gpa` says. */
static void check_piece(struct check *check, const struct claim_variable *variable, uint64_t gpa,
			uint64_t base, uint64_t size)
{
	uint64_t gva = variable->address + base, expected, wrong;
	const struct leaf *leaf = facts_leaf_at(check->facts, gva);
	uint64_t at = leaf ? leaf->gpa + (gva - leaf->gva) : 0;
	const uint8_t *bytes = leaf && at == gpa ? view_bytes(check->facts->view, gpa, size) : NULL;
	struct finding *finding;

	check->result->checked++;
	if (bytes) {
		wrong = contents_first_wrong(variable, bytes, base, size, &expected);
		if (wrong < size)
			report_words(check, gva + wrong, expected, bytes + wrong, size - wrong,
				     "the first of the page that differs");
		return;
	}
	finding = finding_new_page(check, gva);
	finding_claimed(finding, "contiguous memory, GPA 0x%" PRIx64 " here", gpa);
	finding_found(finding, leaf ? "GPA 0x%" PRIx64 : "no memory there", at);
	finding_where_gva(finding, check, gva);
}

/*
 * The size that the guest recorded is what the script requested, unless that has overwritten the record. With
 * slab_debug the record lies elsewhere, and a redzone follows.
 */
static void check_requested(struct check *check, const struct claim_variable *variable, uint64_t gpa,
			    const struct room *room)
{
	const uint8_t *bytes = view_bytes(check->facts->view, gpa, room->bytes);
	struct finding *finding;

	if (!room->requested || (variable->slack_written && room->cache && !room->cache->link))
		return;
	check->result->checked++;
	if (room->requested != variable->size) {
		finding = finding_new(check, variable->address);
		finding_claimed(finding, "%" PRIu64 " bytes were requested", room->requested);
		finding_found(finding, "the script requested %" PRIu64, variable->size);
		finding_where_gva(finding, check, variable->address);
		return;
	}
	for (uint64_t at = variable->size; room->cache && room->cache->link && bytes && at < room->bytes;
	     at++) {
		uint64_t word = at & ~7ull;

		if (bytes[at] == KMALLOC_REDZONE)
			continue;
		report_words(check, variable->address + word, KMALLOC_REDZONE * UINT64_C(0x0101010101010101),
			     bytes + word, room->bytes - word, "after the requested size");
		return;
	}
}

static void check_written(struct check *check, const struct claim_variable *variable)
{
	uint64_t gpa = variable->write_address - KVMAP_DIRECT_BASE;
	const uint8_t *bytes = view_bytes(check->facts->view, gpa, sizeof(uint64_t));

	check->result->checked++;
	if (bytes && memcmp(bytes, &variable->write_value, sizeof(uint64_t)) != 0)
		report_words(check, variable->write_address, variable->write_value, bytes, sizeof(uint64_t),
			     "not what was written last");
}

void check_object(struct check *check, const struct claim_variable *variable)
{
	uint64_t gpa = variable->address - KVMAP_DIRECT_BASE, size = variable->size;
	const struct room room = room_at(check->facts, gpa);

	if (!size || size > room.bytes) {
		struct finding *finding = finding_new(check, variable->address);

		finding_claimed(finding, "%" PRIu64 " bytes of kmalloc", size);
		finding_found(finding, "%" PRIu64 " bytes allocated there", room.bytes);
		finding_where_gva(finding, check, variable->address);
		return;
	}
	check_requested(check, variable, gpa, &room);
	for (uint64_t at = 0; at < size; at += KVMAP_PAGE_SIZE) {
		uint64_t left = size - at;

		check_piece(check, variable, gpa + at, at, left < KVMAP_PAGE_SIZE ? left : KVMAP_PAGE_SIZE);
	}
	if (variable->write_address)
		check_written(check, variable);
}
