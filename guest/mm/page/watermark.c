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

static u64 zone_frames(const struct zone *zone)
{
	return zone->end_pfn - zone->start_pfn;
}

/* sqrt(16 * KiB of memory) KiB. */
static u64 reserve_frames(u64 total)
{
	u64 frames = square_root(16 * (total << PAGE_SHIFT >> 10)) << 10 >> PAGE_SHIFT;

	return frames < RESERVE_MIN ? RESERVE_MIN : frames > RESERVE_MAX ? RESERVE_MAX : frames;
}

/* Adds the frames of the node's zones to those of their type. */
static void node_frames_add(u32 node, u64 frames[ZONE_TYPES])
{
	for (u32 i = 0; i < nr_zones; i++)
		if (zones[i].numa_node == node)
			frames[zones[i].kind] += zone_frames(&zones[i]);
}

static void zone_watermarks_set(struct zone *zone, u64 reserve, u64 total)
{
	u64 frames = zone_frames(zone), min = reserve * frames / total, step = frames / LOW_PART;
	u64 of_kind[ZONE_TYPES] = { 0 }, better = 0;

	zone->watermark[WMARK_NONE] = 0;
	zone->watermark[WMARK_MIN] = (u32)min;
	zone->watermark[WMARK_LOW] = (u32)(min + (step > min / 4 ? step : min / 4));
	/* Zones of one type and node share what that type keeps. */
	node_frames_add(zone->numa_node, of_kind);
	for (u32 highest = zone->kind + 1; highest < ZONE_TYPES; highest++) {
		better += of_kind[highest];
		zone->lowmem_reserve[highest] =
			(u32)(better / LOWMEM_RESERVE_RATIO * frames / of_kind[zone->kind]);
	}
}

void watermarks_init(void)
{
	u64 total = frames_total_count(), reserve = reserve_frames(total);

	for (u32 i = 0; i < nr_zones; i++)
		zone_watermarks_set(&zones[i], reserve, total);
}

u64 zones_available(gfp_t gfp)
{
	enum zone_watermarks mark = gfp & __GFP_HIGH ? WMARK_NONE : watermark_lowest();
	u32 node = gfp_node(gfp);
	u64 frames = 0;

	for (u32 i = 0; i < nr_zones; i++) {
		const struct zone *zone = zonelist_zone(gfp, node, i);

		frames += zone ? zone_available(zone, gfp_highest_zone(gfp), mark) : 0;
	}
	return frames;
}
