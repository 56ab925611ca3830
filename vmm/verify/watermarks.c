/* SPDX-License-Identifier: MIT */
/*
 * watermarks.c: V13, of the reserve of frames. A zone never has fewer free frames than its `min` watermark where no request may
 * use the reserve (__GFP_HIGH), and its lowmem_reserve besides where none names a low zone. The watermark is computed here, as Linux does it, and not read. With several CPUs nothing is
 * compared: two of them may take the last frames above it at the same time.
 */
#include "verify/check.h"
#include "verify/requests.h"

#include <inttypes.h>

/* Linux's lowmem_reserve_ratio: where no request names a zone, it keeps 1/ratio of the frames of the better zones of its node. */
#define LOWMEM_RESERVE_RATIO 256

/* Bounds of the reserve of all zones together, in frames: 128 KiB and 256 MiB. */
#define RESERVE_MIN ((128u << 10) / KVMAP_PAGE_SIZE)
#define RESERVE_MAX ((256u << 20) / KVMAP_PAGE_SIZE)

static uint64_t square_root(uint64_t square)
{
	uint64_t root = 0;

	for (uint64_t bit = 1ull << 31; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= square)
			root |= bit;
	return root;
}

/* min_free_kbytes is sqrt(16 * KiB of memory). */
static uint64_t reserve_of(uint64_t frames)
{
	uint64_t reserve = square_root(16 * (frames * KVMAP_PAGE_SIZE >> 10)) * 1024 / KVMAP_PAGE_SIZE;

	return reserve < RESERVE_MIN ? RESERVE_MIN : reserve > RESERVE_MAX ? RESERVE_MAX : reserve;
}

static uint64_t frames_of(const struct claim_zone *zone)
{
	return zone->end_pfn - zone->start_pfn;
}

/* A zone may consist of several stretches of frames: those of one type and node. */
static bool is_one_zone(const struct claim_zone *a, const struct claim_zone *b)
{
	return a->kind == b->kind && a->numa_node == b->numa_node;
}

static void check_zone(struct check *check, uint32_t number, uint64_t total)
{
	const struct claims *claims = check->facts->claims;
	const struct claim_zone *zone = &claims->zones[number];
	uint64_t frames = 0, free = 0, better = 0, min;
	struct finding *finding;

	for (uint32_t i = 0; i < claims->zone_count; i++) {
		if (claims->zones[i].numa_node == zone->numa_node && claims->zones[i].kind > zone->kind)
			better += frames_of(&claims->zones[i]);
		if (!is_one_zone(&claims->zones[i], zone))
			continue;
		if (i < number)
			return; /* compared with the first stretch */
		frames += frames_of(&claims->zones[i]);
		free += claims->zones[i].free_pages;
	}
	min = reserve_of(total) * frames / total;
	if (!check->facts->input->requests->low)
		min += better / LOWMEM_RESERVE_RATIO;
	/* No request may take anything of a zone as small as that. */
	if (frames <= min)
		return;
	check->result->checked++;
	if (free >= min)
		return;
	finding = finding_new(check, 0);
	finding_claimed(finding, "at least %" PRIu64 " free frames, which no request of the script may take",
			min);
	finding_found(finding, "%" PRIu64, free);
	finding_where(finding, "zones[%" PRIu32 "].free_pages", number);
}

void check_watermarks(struct check *check)
{
	const struct claims *claims = check->facts->claims;
	const struct requests *requests = check->facts->input->requests;
	uint64_t total = 0;

	if (!requests || requests->reserve || claims->cpu_count != 1 || check_lacks(check, PART_OWNERS))
		return;
	for (uint32_t i = 0; i < claims->zone_count; i++)
		total += frames_of(&claims->zones[i]);
	for (uint32_t i = 0; total && i < claims->zone_count; i++)
		check_zone(check, i, total);
}
