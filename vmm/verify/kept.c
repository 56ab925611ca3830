/* SPDX-License-Identifier: MIT */
/*
 * kept.c: V13, of what CPUs and caches keep: the number that the guest has of each list is that of the list, and within the
 * bound that docs/memory-manager.md promises (kvmap/bounds.h).
 */
#include "verify/check.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
	const char *name;
	unsigned int parts; /* enum claims_part: without them the list was not counted */
	bool of_cache;
} kinds[] = {
	[COUNT_PCP] = { "pcp.nr", PART_OWNERS, false },
	[COUNT_PCP_ZERO] = { "pcp_zero.nr", PART_OWNERS, false },
	[COUNT_CACHED] = { "cached", PART_CACHED, false },
	[COUNT_CACHED_BLOCKS] = { "cached_blocks.nr", PART_CACHED, false },
	[COUNT_LAZY_AREAS] = { "lazy.areas", PART_AREAS, false },
	[COUNT_LAZY_PAGES] = { "lazy.pages", PART_AREAS, false },
	[COUNT_OBJECTS] = { "objects", PART_OBJECTS, true },
	[COUNT_EMPTY_SLABS] = { "nr_empty", PART_OWNERS | PART_OBJECTS, true },
};

static void where(struct finding *finding, const struct claims *claims, const struct claim_count *count)
{
	const struct claim_cache *cache = kinds[count->kind].of_cache && count->index < claims->cache_count
						  ? &claims->caches[count->index]
						  : NULL;

	if (count->kind == COUNT_EMPTY_SLABS)
		finding_where(finding, "cache %s: nr_empty", cache ? cache->name : "?");
	else if (count->kind == COUNT_OBJECTS)
		finding_where(finding, "cpu_caches[%" PRIu32 "].objects: list of cache %s", count->cpu,
			      cache ? cache->name : "?");
	else if (count->kind == COUNT_CACHED)
		finding_where(finding, "cpu_caches[%" PRIu32 "].cached[%" PRIu32 "].nr", count->cpu,
			      count->index);
	else
		finding_where(finding, "cpu_caches[%" PRIu32 "].%s", count->cpu, kinds[count->kind].name);
}

static void check_count(struct check *check, const struct claim_count *count)
{
	struct finding *finding;

	check->result->checked++;
	if (count->claimed != count->counted && !check_lacks(check, kinds[count->kind].parts)) {
		finding = finding_new(check, 0);
		finding_claimed(finding, "%" PRIu64, count->claimed);
		finding_found(finding, "%" PRIu64, count->counted);
		where(finding, check->facts->claims, count);
	} else if (count->claimed > count->bound) {
		finding = finding_new(check, 0);
		finding_claimed(finding, "at most %" PRIu64, count->bound);
		finding_found(finding, "%" PRIu64, count->claimed);
		where(finding, check->facts->claims, count);
	}
}

void check_kept(struct check *check)
{
	const struct claims *claims = check->facts->claims;

	for (size_t i = 0; i < claims->counts.count; i++)
		check_count(check, &claims->counts.items[i]);
}
