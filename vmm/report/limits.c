/* SPDX-License-Identifier: MIT */
/*
 * limits.c: the numbers of a refusal as the guest counted them: the limit that was exceeded, or what was
 * free.
 */
#include "base/number.h"
#include "base/strbuf.h"
#include "kvmap/claims.h"
#include "kvmap/layout.h"
#include "report/json.h"
#include "report/run_parts.h"
#include "report/text.h"

#include <inttypes.h>

#define LIMIT_WORDING(NAME, value, wording) [value] = (wording),
static const char *const limit_wordings[] = { KVMAP_LIMITS(LIMIT_WORDING) };

static const char *limit_wording(uint8_t which)
{
	return which < sizeof(limit_wordings) / sizeof(limit_wordings[0]) ? limit_wordings[which] : "";
}

static const char *zone_name(uint32_t zone)
{
	return zone == ZONE_DMA ? "DMA" : zone == ZONE_DMA32 ? "DMA32" : "Normal";
}

static uint64_t block_bytes(uint32_t order)
{
	return order < 52 ? (uint64_t)KVMAP_PAGE_SIZE << order : UINT64_MAX;
}

static void add_bytes(struct strbuf *text, uint64_t bytes)
{
	char number[40];

	strbuf_add(text, "%s", number_bytes(bytes, number, sizeof(number)));
}

static void add_frames(struct strbuf *text, uint64_t frames, const char *what)
{
	char number[40];

	strbuf_add(text, "%s%s", text_number_of(frames, "frame", number, sizeof(number)), what);
}

/* That a block is free, and why it stays so. */
static void add_withheld(const struct kvmap_limits *limits, struct strbuf *text)
{
	char number[40];

	strbuf_add(
		text,
		"; without one, zone %s of node %u would have fewer than the %s that it keeps (watermark and "
		"lowmem_reserve)",
		zone_name(limits->withheld - 1u), limits->withheld_node - 1u,
		text_number_of(limits->limit, "frame", number, sizeof(number)));
}

/*
 * "no free block of 2 MiB (order 9) in the zones DMA to Normal: 1,162 frames free, 90 of them reserved, ..."
 */
static void memory_text(const struct kvmap_limits *limits, struct strbuf *text)
{
	if (limits->injected) {
		strbuf_add(text, "an allocation was made to fail");
		return;
	}
	if (limits->order) {
		strbuf_add(text, limits->withheld ? "no block of " : "no free block of ");
		add_bytes(text, block_bytes(limits->order));
		strbuf_add(text, " (order %u)%s", limits->order, limits->withheld ? " may be taken" : "");
	} else {
		add_bytes(text, limits->wanted);
		strbuf_add(text, " wanted");
	}
	strbuf_add(text, limits->zone == ZONE_DMA ? " in zone %s" : " in the zones up to %s",
		   zone_name(limits->zone));
	if (limits->node)
		strbuf_add(text, " of node %u", limits->node - 1u);
	strbuf_add(text, ": ");
	add_frames(text, limits->free, " free");
	if (limits->reserved) {
		char number[40];

		strbuf_add(text, ", %s of them reserved",
			   text_count(limits->reserved, number, sizeof(number)));
	}
	if (limits->largest) {
		strbuf_add(text, ", the largest block of ");
		add_bytes(text, block_bytes(limits->largest - 1u));
		strbuf_add(text, " (order %u)", limits->largest - 1u);
	}
	if (limits->withheld)
		add_withheld(limits, text);
}

const char *limits_text(const struct kvmap_record *record, char *out, size_t size)
{
	const struct kvmap_limits *limits = &record->limits;
	struct strbuf text = strbuf_of(out, size);

	out[0] = '\0';
	if (!record->type)
		return out;
	strbuf_add(&text, "; ");
	switch (record->status) {
	case KVMAP_REFUSED_NO_MEMORY: memory_text(limits, &text); break;
	case KVMAP_REFUSED_NO_SPACE:
		add_bytes(&text, limits->wanted);
		strbuf_add(&text, " wanted, the largest free range has ");
		add_bytes(&text, limits->limit);
		break;
	default:
		if (limits->wanted) {
			add_bytes(&text, limits->wanted);
			strbuf_add(&text, " wanted, ");
		}
		strbuf_add(&text, "more than %s", limit_wording(limits->which));
		if (limits->limit != UINT64_MAX) {
			strbuf_add(&text, ", ");
			add_bytes(&text, limits->limit);
		}
	}
	return out;
}

void limits_add(struct json_object *line, const struct kvmap_record *record)
{
	const struct kvmap_limits *limits = &record->limits;

	if (!record->type)
		return;
	json_add_number(line, "wanted", limits->wanted);
	if (record->status != KVMAP_REFUSED_NO_MEMORY) {
		json_add_number(line, "limit", limits->limit);
		json_add_string(line, "limit_of",
				record->status == KVMAP_REFUSED_NO_SPACE ? "the largest free range"
									 : limit_wording(limits->which));
		return;
	}
	json_add_number(line, "order", limits->order);
	json_add_string(line, "zone", zone_name(limits->zone));
	if (limits->node)
		json_add_number(line, "node", limits->node - 1u);
	json_add_number(line, "free", limits->free);
	json_add_number(line, "free_fresh", limits->fresh);
	json_add_number(line, "reserved", limits->reserved);
	json_add_bool(line, "injected", limits->injected);
	if (limits->largest)
		json_add_number(line, "largest_order", limits->largest - 1u);
	if (limits->withheld) {
		json_add_string(line, "withheld_zone", zone_name(limits->withheld - 1u));
		json_add_number(line, "withheld_node", limits->withheld_node - 1u);
		json_add_number(line, "withheld_kept", limits->limit);
	}
}
