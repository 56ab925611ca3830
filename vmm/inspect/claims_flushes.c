/* SPDX-License-Identifier: MIT */
/*
 * claims_flushes.c: the ring of completed flushes, and the CPUs that flush.
 */
#include "inspect/claims_reader.h"

static void flush_take(struct reader *reader, uint64_t gva, const uint8_t *copy, uint32_t *newest)
{
	const struct claims_layout *layout = reader->layout;
	struct claim_flush flush = {
		.stamp = (uint32_t)layout_value(layout, MEMBER_tlb_flush_stamp, copy),
		.cpu = (uint32_t)layout_value(layout, MEMBER_tlb_flush_cpu, copy),
		.start = layout_value(layout, MEMBER_tlb_flush_start, copy),
		.end = layout_value(layout, MEMBER_tlb_flush_end, copy),
	};

	if (!flush.stamp || flush.stamp < *newest || flush.stamp > reader->out->tlb_clock)
		reader_damage(reader, "V9", gva, flush.stamp,
			      "tlb_flush_log: stamp is none, goes back, or is ahead of tlb_clock");
	else
		*newest = flush.stamp;
	(void)reader_push(reader, &reader->out->flushes, flush);
}

static void read_cpus(struct reader *reader)
{
	const struct claims_layout *layout = reader->layout;
	const struct claim_place *root = &layout->roots[ROOT_cpus];
	uint32_t most = layout_elements(layout, TYPE_cpu, root->size, VIEW_CPUS_MAX);
	uint64_t count = reader_root(reader, ROOT_arch_nr_cpus, "V9");
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	if (!count || count > most) {
		reader_damage(reader, "V9", layout->roots[ROOT_arch_nr_cpus].gva, count,
			      "arch_nr_cpus: none, or more than the array has");
		count = 1;
	}
	reader->out->cpu_count = (uint32_t)count;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t gva = root->gva + (uint64_t)i * layout_size(layout, TYPE_cpu);

		if (!reader_structure(reader, TYPE_cpu, gva, copy)) {
			reader_damage(reader, "V9", gva, i, "cpus: not mapped");
			return;
		}
		reader->out->cpu_states[i] = (uint32_t)layout_value(layout, MEMBER_cpu_state, copy);
	}
}

static void read_rounds(struct reader *reader)
{
	const struct claims_layout *layout = reader->layout;
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	if (!reader_root_copy(reader, ROOT_tlb_stats, "V9", copy, layout_size(layout, TYPE_tlb_stats)))
		return;
	reader->out->tlb_rounds = layout_value(layout, MEMBER_tlb_stats_rounds, copy);
	reader->out->tlb_ipis = layout_value(layout, MEMBER_tlb_stats_ipis, copy);
	reader->out->tlb_spared = layout_value(layout, MEMBER_tlb_stats_spared, copy);
}

void read_flushes(struct reader *reader)
{
	const struct claims_layout *layout = reader->layout;
	const struct claim_place *root = &layout->roots[ROOT_tlb_flush_log];
	uint32_t ring = layout_elements(layout, TYPE_tlb_flush, root->size, UINT32_MAX);
	uint64_t count = reader_root(reader, ROOT_tlb_flush_count, "V9"), kept = count < ring ? count : ring;
	uint8_t copy[CLAIM_STRUCTURE_MAX];
	uint32_t newest = 0;

	read_cpus(reader);
	read_rounds(reader);
	reader->out->tlb_clock = (uint32_t)reader_root(reader, ROOT_tlb_clock, "V9");
	reader->out->flush_count = count;
	for (uint64_t i = count - kept; i < count && !reader->out_of_memory; i++) {
		uint64_t gva = root->gva + i % ring * layout_size(layout, TYPE_tlb_flush);

		if (!reader_structure(reader, TYPE_tlb_flush, gva, copy)) {
			reader_damage(reader, "V9", gva, i, "tlb_flush_log: not mapped");
			return;
		}
		flush_take(reader, gva, copy, &newest);
	}
}
