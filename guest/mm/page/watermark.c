/* SPDX-License-Identifier: MIT */
/*
 * watermark.c: Linux's min_free_kbytes, watermarks and lowmem_reserve.
 */
#include "mm/page/watermark.h"

/* Bounds of the reserve of all zones together, in frames: 128 KiB and 256 MiB. */
#define RESERVE_MIN (128u << 10 >> PAGE_SHIFT)
#define RESERVE_MAX (256u << 20 >> PAGE_SHIFT)

/* Linux's lowmem_reserve_ratio: a zone keeps 1/ratio of the frames of the better zones of its node. */
#define LOWMEM_RESERVE_RATIO 256

/* WMARK_LOW is at least this part of a zone above WMARK_MIN: Linux's watermark_scale_factor. */
#define LOW_PART 1000

static u64 square_root(u64 square)
{
	u64 root = 0;

	for (u64 bit = 1ul << (63 - __builtin_clzl(square | 1)) / 2; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= square)
			root |= bit;
	return root;
}

/* sqrt(16 * KiB of memory) KiB. */
static u64 reserve_frames(u64 total)
{
	u64 frames = square_root(16 * (total << PAGE_SHIFT >> 10)) << 10 >> PAGE_SHIFT;

	return frames < RESERVE_MIN ? RESERVE_MIN : frames > RESERVE_MAX ? RESERVE_MAX : frames;
}

/* Frames of a zone type of a node. */
static u64 zone_frames(u32 node, u32 kind)
{
	u64 frames = 0;

	for (u32 i = 0; i < nr_zones; i++)
		if (zones[i].numa_node == node && zones[i].kind == kind)
			frames += zones[i].end_pfn - zones[i].start_pfn;
	return frames;
}

static void zone_watermarks_set(struct zone *zone, u64 reserve, u64 total)
{
	u64 frames = zone_frames(zone->numa_node, zone->kind), min = reserve * frames / total;
	u64 step = frames / LOW_PART, better = 0;

	zone->watermark[WMARK_NONE] = 0;
	zone->watermark[WMARK_MIN] = (u32)min;
	zone->watermark[WMARK_LOW] = (u32)(min + (step > min / 4 ? step : min / 4));
	for (u32 highest = zone->kind + 1; highest < ZONE_TYPES; highest++) {
		better += zone_frames(zone->numa_node, highest);
		zone->lowmem_reserve[highest] = (u32)(better / LOWMEM_RESERVE_RATIO);
	}
}

static bool is_one_zone(const struct zone *a, const struct zone *b)
{
	return a->kind == b->kind && a->numa_node == b->numa_node;
}

/* Finds the stretches of each zone. They are neighbours: zones[] is sorted by address, and so by type and node. */
static void stretches_find(struct zone *zone)
{
	u32 first = (u32)(zone - zones), end = first + 1;

	while (first && is_one_zone(&zones[first - 1], zone))
		first--;
	while (end < nr_zones && is_one_zone(&zones[end], zone))
		end++;
	zone->first_stretch = first;
	zone->nr_stretches = end - first;
}

void watermarks_init(void)
{
	u64 total = frames_total_count(), reserve = reserve_frames(total);

	for (u32 i = 0; i < nr_zones; i++) {
		stretches_find(&zones[i]);
		zone_watermarks_set(&zones[i], reserve, total);
	}
}

u64 stretches_available(const struct zone *zone, u64 kept)
{
	const struct zone *stretch = &zones[zone->first_stretch];
	u64 free = 0;

	for (u32 i = 0; i < zone->nr_stretches; i++)
		free += READ_ONCE(stretch[i].free_pages);
	return free > kept ? free - kept : 0;
}

u64 zones_available(gfp_t gfp)
{
	enum zone_watermarks mark = gfp & __GFP_HIGH ? WMARK_NONE : watermark_lowest();
	u32 node = gfp_node(gfp), highest = gfp_highest_zone(gfp);
	u64 frames = 0;

	for (u32 i = 0; i < nr_zones; i++) {
		const struct zone *zone = zonelist_zone(gfp, node, i);

		if (zone && zone == &zones[zone->first_stretch])
			frames += stretches_available(zone, zone_kept(zone, highest, mark));
	}
	return frames;
}
