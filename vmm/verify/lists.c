/* SPDX-License-Identifier: MIT */
/*
 * lists.c: V8, of areas and ranges that belong on a list of a CPU: deferred areas, and cached ranges. One on no list is lost,
 * one on two lists is used twice.
 */
#include "verify/check.h"

#include <inttypes.h>
#include <stdlib.h>

static int collect_deferred(const struct claims *claims, struct keyed_array *listed)
{
	for (size_t i = 0; i < claims->deferred.count; i++) {
		struct keyed item = { .key = claims->deferred.items[i] };

		if (array_push(listed, item) < 0)
			return -1;
	}
	return keyed_sort(listed);
}

/*
 * Checks that an area is on a list of deferred areas if and only if it is deferred. Returns whether it is on
 * one.
 */
static bool check_waits(struct check *check, const struct claim_area *area, const struct keyed_array *listed)
{
	size_t at = keyed_find(listed, area->vmap_area);
	bool is_listed = at < listed->count && listed->items[at].key == area->vmap_area;
	struct finding *finding;

	check->result->checked += area->deferred;
	if (is_listed == area->deferred || (!is_listed && check_lacks(check, PART_DEFERRED)))
		return is_listed;
	finding = finding_new_structure(check, area->va_start, area->vmap_area);
	finding_claimed(finding, is_listed ? "on a list of areas to be freed" : "waits to be freed");
	finding_found(finding, is_listed ? "it does not wait to be freed" : "on no CPU's list");
	finding_where_area(finding, check, area);
	return is_listed;
}

/* Checks that each deferred area (vfree_atomic()) is on the list of a CPU; otherwise it would be leaked. */
void check_deferred(struct check *check)
{
	const struct claims *claims = check->facts->claims;
	struct keyed_array listed = { 0 };
	struct finding *finding;
	size_t found = 0;

	if (collect_deferred(claims, &listed) < 0) {
		check->no_memory = true;
	} else {
		for (size_t i = 0; i < claims->areas.count; i++)
			found += check_waits(check, &claims->areas.items[i], &listed);
		if (found != listed.count && !check_lacks(check, PART_AREAS)) {
			finding = finding_new(check, listed.items[0].key);
			finding_claimed(finding, "%zu areas wait to be freed", listed.count);
			finding_found(finding, "%zu of them are areas", found);
			finding_where(finding, "vmap_lazy.deferred");
		}
	}
	free(listed.items);
}

static int collect_cached(const struct claims *claims, struct keyed_array *listed)
{
	for (size_t i = 0; i < claims->cached_entries.count; i++) {
		struct keyed item = { .key = claims->cached_entries.items[i].vmap_area,
				      .size = claims->cached_entries.items[i].pages };

		if (array_push(listed, item) < 0)
			return -1;
	}
	return keyed_sort(listed);
}

static void report_cached(struct check *check, uint64_t address, const char *found)
{
	struct finding *finding = finding_new(check, address);

	finding_claimed(finding, "a cached range is on one CPU's list of its size");
	finding_found(finding, "%s", found);
	finding_where(finding, "cpu_cache.cached");
}

/* Checks that a range is on one list, that of its size. Returns how often it is on a list. */
static size_t check_cached_range(struct check *check, const struct claim_cached_range *range,
				 const struct keyed_array *listed)
{
	uint64_t pages = (range->va_end - range->va_start) / KVMAP_PAGE_SIZE - KVMAP_GUARD_PAGES;
	size_t at = keyed_find(listed, range->vmap_area), end = at;

	while (end < listed->count && listed->items[end].key == range->vmap_area)
		end++;
	check->result->checked++;
	if (end == at)
		report_cached(check, range->va_start, "on no list");
	else if (end - at > 1)
		report_cached(check, range->va_start, "on several");
	else if (listed->items[at].size != pages)
		report_cached(check, range->va_start, "on the list of another size");
	return end - at;
}

void check_cached(struct check *check)
{
	const struct claims *claims = check->facts->claims;
	struct keyed_array listed = { 0 };
	size_t found = 0;

	if (check_lacks(check, PART_AREAS | PART_CACHED))
		return;
	if (collect_cached(claims, &listed) < 0) {
		check->no_memory = true;
	} else {
		for (size_t i = 0; i < claims->cached_ranges.count; i++)
			if (claims->cached_ranges.items[i].vmap_area)
				found += check_cached_range(check, &claims->cached_ranges.items[i], &listed);
		if (found != listed.count)
			report_cached(check, 0, "ranges on a list that are not cached");
	}
	free(listed.items);
}
