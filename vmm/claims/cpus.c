/* SPDX-License-Identifier: MIT */
/*
 * cpus.c: the state of each CPU: lazily freed areas, free frames, free objects and counters.
 */
#include "claims/reader.h"

void reader_count(struct reader *reader, const struct claim_count *count)
{
	if (count->claimed || count->counted)
		(void)reader_push(reader, &reader->out->counts, *count);
}

uint32_t reader_cpu(const struct reader *reader, uint64_t gva)
{
	return (uint32_t)((gva - reader->layout->roots[ROOT_cpu_caches].gva) /
			  layout_size(reader->layout, TYPE_cpu_cache));
}

static void pcp_read(struct reader *reader, uint64_t gva, enum claim_type member, const uint8_t *copy)
{
	const struct claims_layout *layout = reader->layout;
	struct chain chain = { .invariant = "V4", .name = "cpu_cache.pcp", .address = gva };

	copy += layout->types[member].offset;
	chain.first = layout_value(layout, MEMBER_per_cpu_pages_first, copy);
	chain.nr_claimed = layout_value(layout, MEMBER_per_cpu_pages_nr, copy);
	reader_chain(reader, &chain);
	reader_count(reader,
		     &(struct claim_count){ member == MEMBER_cpu_cache_pcp ? COUNT_PCP : COUNT_PCP_ZERO,
					    reader_cpu(reader, gva), 0, chain.nr_claimed, chain.frame_count,
					    member == MEMBER_cpu_cache_pcp ? PCP_HIGH : PCP_BATCH });
	if (!reader->out->pcp.frame_count)
		reader->out->pcp.first_frame = chain.first_frame;
	reader->out->pcp.frame_count += chain.frame_count;
}

/* Calls read for each CPU, in order, with a copy of its structure. A CPU that never ran has nothing in memory. */
static void each_cpu(struct reader *reader, const char *invariant,
		     void (*read)(struct reader *reader, uint64_t gva, const uint8_t *copy))
{
	const struct claims_layout *layout = reader->layout;
	const struct claim_root_location *root = &layout->roots[ROOT_cpu_caches];
	uint32_t size = layout_size(layout, TYPE_cpu_cache);
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	for (uint64_t at = 0; root->size - at >= size; at += size) {
		if (reader_is_unused(reader, root->gva + at, size))
			continue;
		if (!reader_structure(reader, TYPE_cpu_cache, root->gva + at, copy)) {
			reader_cut(reader, PART_AREAS | PART_OWNERS | PART_OBJECTS | PART_DEFERRED, invariant,
				   root->gva, root->gva + at, "cpu_caches: not mapped");
			return;
		}
		read(reader, root->gva + at, copy);
	}
}

/* No other chain is read in between, so that those of all CPUs are contiguous in claims.frames. */
static void read_pcp(struct reader *reader, uint64_t gva, const uint8_t *copy)
{
	size_t first;

	pcp_read(reader, gva, MEMBER_cpu_cache_pcp, copy);
	first = reader->out->frames.count;
	pcp_read(reader, gva, MEMBER_cpu_cache_pcp_zero, copy);
	for (size_t i = first; i < reader->out->frames.count; i++)
		(void)reader_push(reader, &reader->out->pcp_zero, reader->out->frames.items[i]);
}

static void read_rest(struct reader *reader, uint64_t gva, const uint8_t *copy)
{
	cpu_read_cached(reader, gva, copy);
	cpu_read_objects(reader, gva, copy);
	cpu_read_counters(reader, copy);
}

void read_lazy(struct reader *reader)
{
	each_cpu(reader, "V8", cpu_read_lazy);
}

void read_cpu_caches(struct reader *reader)
{
	read_lazy(reader);
	each_cpu(reader, "V4", read_pcp);
	each_cpu(reader, "V4", read_rest);
}
