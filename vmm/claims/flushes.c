/* SPDX-License-Identifier: MIT */
/*
 * flushes.c: the ring of completed flushes, and the states of the CPUs.
 */
#include "claims/reader.h"

#include <stdlib.h>
#include <string.h>

static uint32_t ring_entries(const struct claims_layout *layout)
{
	return layout_elements(layout, TYPE_tlb_flush, layout->roots[ROOT_tlb_flush_log].size);
}

static struct claim_flush flush_decode(const struct claims_layout *layout, const uint8_t *copy)
{
	return (struct claim_flush){
		.stamp = layout_value(layout, MEMBER_tlb_flush_stamp, copy),
		.cpu = (uint32_t)layout_value(layout, MEMBER_tlb_flush_cpu, copy),
		.begun = layout_value(layout, MEMBER_tlb_flush_begun, copy),
		.start = layout_value(layout, MEMBER_tlb_flush_start, copy),
		.end = layout_value(layout, MEMBER_tlb_flush_end, copy),
	};
}

/* False if the slot of `stamp` has another entry: this one is not written yet, or was overwritten. */
static bool flush_take(struct reader *reader, uint64_t gva, const uint8_t *copy, uint64_t stamp)
{
	const struct claims_layout *layout = reader->layout;
	struct claim_flush flush = flush_decode(layout, copy);

	if (flush.stamp > stamp || (flush.stamp && (stamp - flush.stamp) % ring_entries(layout)))
		reader_damage(reader, "V9", gva, flush.stamp,
			      "tlb_flush_log: stamp of another slot, or ahead of tlb_gen");
	if (flush.stamp != stamp)
		return false;
	if (flush.begun >= stamp) {
		reader_damage(reader, "V9", gva, flush.begun,
			      "tlb_flush_log: flush that ended before it began");
		return false;
	}
	return reader_push(reader, &reader->out->flushes, flush);
}

static void read_cpus(struct reader *reader)
{
	const struct claims_layout *layout = reader->layout;
	const struct claim_root_location *root = &layout->roots[ROOT_cpus];
	uint32_t most = layout_elements(layout, TYPE_cpu, root->size);
	uint64_t count = reader_root(reader, ROOT_arch_nr_cpus, "V9");
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	if (!count || count > most) {
		reader_damage(reader, "V9", layout->roots[ROOT_arch_nr_cpus].gva, count,
			      "arch_nr_cpus: none, or more than fit into the array");
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

static void read_shootdowns(struct reader *reader)
{
	const struct claims_layout *layout = reader->layout;
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	if (!reader_root_copy(reader, ROOT_tlb_stats, "V9", copy, layout_size(layout, TYPE_tlb_stats)))
		return;
	reader->out->tlb_rounds = layout_value(layout, MEMBER_tlb_stats_rounds, copy);
	reader->out->tlb_ipis = layout_value(layout, MEMBER_tlb_stats_ipis, copy);
	reader->out->tlb_idle_skipped = layout_value(layout, MEMBER_tlb_stats_idle_skipped, copy);
}

/* A CPU has at most two stamps whose entries it has not written yet: the second in an interrupt. */
#define WRITING_MAX(cpus) (2 * (cpus))

static uint64_t flush_entry_gva(const struct claims_layout *layout, uint64_t stamp)
{
	return layout->roots[ROOT_tlb_flush_log].gva +
	       stamp % ring_entries(layout) * layout_size(layout, TYPE_tlb_flush);
}

/* tlb_gen. The greatest value, which no guest can reach, is not believed: stamps are compared with the next one. */
static uint64_t generation_read(struct reader *reader)
{
	uint64_t count = reader_root(reader, ROOT_tlb_gen, "V9");

	return count == UINT64_MAX ? count - 1 : count;
}

/* The oldest stamp that the ring can still have at flush generation `count`. */
static uint64_t ring_start(const struct claims_layout *layout, uint64_t count)
{
	uint32_t ring = ring_entries(layout);

	return count > ring ? count - ring + 1 : 1;
}

/* Takes the log's entries if the ring continues them. Returns the first stamp to read from the ring. */
static uint64_t logged_take(struct reader *reader, uint64_t count)
{
	const struct flush_log *log = reader->log;
	uint64_t start = ring_start(reader->layout, count);

	if (!log || log->last > count || log->last + 1ull < start)
		return start;
	for (size_t i = 0; i < log->count; i++)
		(void)reader_push(reader, &reader->out->flushes, log->items[i]);
	return log->last + 1ull;
}

/*
 * Reads the entries after the newest missing one. A CPU that was stopped between its stamp and its entry
 * leaves a hole; entries before a hole are dropped, since a flush in it may be the one that matters.
 */
void read_flushes(struct reader *reader)
{
	const struct claims_layout *layout = reader->layout;
	uint8_t copy[CLAIM_STRUCTURE_MAX];
	uint32_t missing = 0;
	uint64_t count;

	read_cpus(reader);
	read_shootdowns(reader);
	reader->out->flush_generation = generation_read(reader);
	reader->out->flush_count = count = reader->out->flush_generation;
	for (uint64_t stamp = logged_take(reader, count); stamp <= count && !reader->out_of_memory; stamp++) {
		uint64_t gva = flush_entry_gva(layout, stamp);

		if (!reader_structure(reader, TYPE_tlb_flush, gva, copy)) {
			reader_damage(reader, "V9", gva, stamp, "tlb_flush_log: not mapped");
			return;
		}
		if (!flush_take(reader, gva, copy, stamp)) {
			reader->out->flushes.count = 0;
			missing++;
		}
	}
	if (missing > WRITING_MAX(reader->out->cpu_count))
		reader_damage(reader, "V9", layout->roots[ROOT_tlb_flush_log].gva, missing,
			      "tlb_flush_log: more entries are missing than CPUs can be writing");
}

/* ---- the flush log ---- */

static int log_add(struct flush_log *log, const struct claim_flush *flush)
{
	if (log->count == FLUSH_LOG_MAX) {
		log->count /= 2;
		memmove(log->items, log->items + log->count, log->count * sizeof(*log->items));
	}
	log->last = flush->stamp;
	return array_push(log, *flush);
}

int claims_take_flushes(const struct view *view, const struct walk_mode *mode,
			const struct claims_layout *layout, struct flush_log *log, struct error *error)
{
	struct claims unused = { 0 };
	struct reader reader = { .view = view, .mode = mode, .layout = layout, .out = &unused };
	uint64_t count = generation_read(&reader), start = ring_start(layout, count);
	uint8_t copy[CLAIM_STRUCTURE_MAX];
	int result = 0;

	if (log->last > count || log->last + 1ull < start) {
		log->count = 0;
		log->last = start - 1;
	}
	/* An entry that a CPU is writing now is taken the next time, with all after it. */
	for (uint64_t stamp = log->last + 1ull; stamp <= count && result == 0; stamp++) {
		struct claim_flush flush;

		if (!reader_structure(&reader, TYPE_tlb_flush, flush_entry_gva(layout, stamp), copy))
			break;
		flush = flush_decode(layout, copy);
		if (flush.stamp != stamp || flush.begun >= stamp)
			break;
		result = log_add(log, &flush);
	}
	claims_destroy(&unused);
	return result < 0 ? error_set(error, ERROR_HOST, 0, 0, "out of memory for the log of flushes") : 0;
}

void flush_log_destroy(struct flush_log *log)
{
	free(log->items);
	*log = (struct flush_log){ 0 };
}
