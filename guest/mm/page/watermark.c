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

static bool is_one_zone(const struct zone *a, const struct zone *b)
{
	return a->kind == b->kind && a->numa_node == b->numa_node;
}

/*
 * Finds the stretches of each zone and adds up its frames by node and type. They are neighbours: zones[] is sorted by
 * address, and so by type and node. The number of them is set in the first stretch of a zone.
 */
static void stretches_find(u64 frames[][ZONE_TYPES])
{
	for (u32 node = 0; node < nr_nodes; node++)
		for (u32 kind = 0; kind < ZONE_TYPES; kind++)
			frames[node][kind] = 0;
	for (u32 i = 0; i < nr_zones; i++) {
		struct zone *zone = &zones[i];
		bool follows = i && is_one_zone(zone - 1, zone);

		zone->first_stretch = follows ? zone[-1].first_stretch : i;
		zone->nr_stretches = 0;
		zones[zone->first_stretch].nr_stretches++;
		frames[zone->numa_node][zone->kind] += zone->end_pfn - zone->start_pfn;
	}
}

/* of_node: frames of the zones of its node, by type. */
static void zone_watermarks_set(struct zone *zone, const u64 of_node[ZONE_TYPES], u64 reserve, u64 total)
{
	u64 frames = of_node[zone->kind], min = reserve * frames / total, step = frames / LOW_PART,
	    better = 0;

	zone->watermark[WMARK_NONE] = 0;
	zone->watermark[WMARK_MIN] = (u32)min;
	zone->watermark[WMARK_LOW] = (u32)(min + (step > min / 4 ? step : min / 4));
	for (u32 highest = zone->kind + 1; highest < ZONE_TYPES; highest++) {
		better += of_node[highest];
		zone->lowmem_reserve[highest] = (u32)(better / LOWMEM_RESERVE_RATIO);
	}
}

void watermarks_init(void)
{
	static u64 frames[KVMAP_NODES_MAX][ZONE_TYPES];
	u64 total = frames_total_count(), reserve = reserve_frames(total);

	stretches_find(frames);
	for (u32 i = 0; i < nr_zones; i++) {
		struct zone *zone = &zones[i];

		zone->nr_stretches = zones[zone->first_stretch].nr_stretches;
		zone_watermarks_set(zone, frames[zone->numa_node], reserve, total);
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
