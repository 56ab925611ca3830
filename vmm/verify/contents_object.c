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
	uint64_t requested;              /* as recorded; 0: not recorded, or with slab_debug: free */
	bool overwritten;                /* the record, which with slab_debug is a finding of its own */
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

	if (!cache->slack)
		return 0;
	slack = number_at(facts, end - 1, 1);
	if (slack == KMALLOC_SLACK_LONG)
		slack = number_at(facts, end - 4, 2);
	return cache->object_size - slack;
}

static struct room object_room(const struct facts *facts, const struct claim_cache *cache, uint64_t gpa)
{
	struct room room = { .bytes = cache->object_size, .cache = cache };
	uint64_t record;

	if (!cache->link) {
		room.requested = requested_at(facts, cache, gpa);
		return room;
	}
	record = number_at(facts, gpa + cache->link + KMALLOC_RECORD_OFFSET, sizeof(record));
	room.requested = KMALLOC_RECORD_SIZE(record);
	room.overwritten = !KMALLOC_RECORD_IS_VALID(record) || room.requested > cache->object_size;
	return room;
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
			return object_room(facts, cache, gpa);
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

static void where_object(struct finding *finding, uint64_t gva, const struct room *room)
{
	if (room->cache)
		finding_where(finding, "the object at 0x%" PRIx64 " of %s, %" PRIu32 " bytes", gva,
			      room->cache->name, room->cache->object_size);
	else
		finding_where(finding, "the block at 0x%" PRIx64 ", %" PRIu64 " bytes", gva, room->bytes);
}

/* With slab_debug: the bytes after the requested size. */
static void check_redzone(struct check *check, const struct claim_variable *variable, uint64_t gpa,
			  const struct room *room)
{
	const uint8_t *bytes = view_bytes(check->facts->view, gpa, room->bytes);
	uint64_t at = variable->size, word = 0, gva;
	struct finding *finding;

	while (bytes && at < room->bytes && bytes[at] == KMALLOC_REDZONE)
		at++;
	if (!bytes || at >= room->bytes)
		return;
	at &= ~7ull;
	memcpy(&word, bytes + at, sizeof(word));
	gva = variable->address + at;
	finding = finding_new_about(check, gva,
				    (struct finding_object){ OBJECT_VIRTUAL, variable->address,
							     variable->address + room->bytes });
	finding_claimed(finding, "0x%016" PRIx64 " after the %" PRIu64 " bytes that were requested",
			KMALLOC_WORD_OF(KMALLOC_REDZONE), variable->size);
	finding_found(finding, "0x%016" PRIx64 ": it was written beyond its size", word);
	where_object(finding, variable->address, room);
}

/*
 * The size that the guest recorded is what the script requested, unless that has overwritten the record. With
 * slab_debug a redzone follows.
 */
static void check_requested(struct check *check, const struct claim_variable *variable, uint64_t gpa,
			    const struct room *room)
{
	bool debug = room->cache ? room->cache->link : check->facts->claims->slab_debug;
	struct finding *finding;

	if (!debug && (!room->requested || (variable->slack_written && room->cache)))
		return;
	check->result->checked++;
	if (room->overwritten || (!room->requested && !room->cache) || room->requested == variable->size) {
		if (debug && room->requested)
			check_redzone(check, variable, gpa, room);
		return;
	}
	finding = finding_new(check, variable->address);
	finding_claimed(finding, room->requested ? "%" PRIu64 " bytes were requested" : "free (%" PRIu64 ")",
			room->requested);
	finding_found(finding, "the script requested %" PRIu64, variable->size);
	where_object(finding, variable->address, room);
}

static void check_written(struct check *check, const struct claim_variable *variable)
{
	uint64_t gpa = variable->write_address - KVMAP_DIRECT_BASE;
	const uint8_t *bytes = view_bytes(check->facts->view, gpa, variable->write_words * sizeof(uint64_t));
	uint64_t sum = bytes ? contents_written_sum(bytes, variable->write_words, 0) : 0;
	struct finding *finding;

	check->result->checked++;
	if (!bytes || sum == variable->write_value)
		return;
	finding = finding_new_page(check, variable->write_address);
	contents_not_written(finding, variable, true, sum);
	finding_where_gva(finding, check, variable->write_address);
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
