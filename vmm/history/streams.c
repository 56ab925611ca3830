/* SPDX-License-Identifier: MIT */
/*
 * streams.c: the bytes of the logs. Each is copied once; positions, lengths and numbers are compared with what can be.
 */
#include "history/internal.h"

#include "kvmap/layout.h"

#include <string.h>

/* Records that wait for one with a lower number; a guest that withholds it must not fill the host's memory. */
#define PENDING_MAX (1u << 20)

void streams_init(struct history *history)
{
	const struct history_place *place = &history->config.place;
	uint64_t gpa = place->gpa;

	for (unsigned int cpu = 0; cpu < history->config.cpus; cpu++) {
		struct stream *stream = &history->streams[2 * cpu];

		stream[0] = (struct stream){ .gpa = gpa, .size = place->size };
		stream[1] = (struct stream){ .gpa = gpa + place->size, .size = place->second };
		stream[0].offset = stream[1].offset = sizeof(struct kvmap_log);
		gpa += (uint64_t)place->size + place->second;
	}
}

/* The position at `offset` as a record, for damaged(). */
static int stream_damaged(struct history *history, unsigned int cpu, struct stream *stream, uint64_t value,
			  const char *what)
{
	const struct record record = {
		.cpu = (uint16_t)cpu,
		.address = KVMAP_DIRECT_BASE + stream->gpa + stream->offset,
		.what = value,
	};

	stream->is_damaged = true;
	return damaged(history, &record, what);
}

/* The number of the record, of which the log has the low 32 bits. 0: it cannot be. */
static uint64_t seq_of(const struct history *history, uint32_t low)
{
	uint64_t seq = history->seq + (uint32_t)(low - (uint32_t)history->seq);

	return seq - history->seq <= INT32_MAX ? seq : 0;
}

/* Takes the record at `offset` of a copy that ends at `end`. 1, 0 if it cannot be, or -1. */
static int record_read(struct history *history, unsigned int cpu, struct stream *stream, const uint8_t *log,
		       uint32_t end)
{
	struct kvmap_log_record head;
	struct record record;

	if (end - stream->offset < sizeof(head))
		return stream_damaged(history, cpu, stream, end, "a record that ends after its log");
	memcpy(&head, log + stream->offset, sizeof(head));
	record = (struct record){
		.what = head.what,
		.seq = seq_of(history, head.seq),
		.first = history->pairs.count,
		.count = head.count,
		.cpu = (uint16_t)cpu,
		.address = KVMAP_DIRECT_BASE + stream->gpa + stream->offset,
	};
	if (head.count > KVMAP_LOG_PAIRS_MAX ||
	    end - stream->offset - sizeof(head) < head.count * sizeof(struct kvmap_log_pair))
		return stream_damaged(history, cpu, stream, head.count, "a record that ends after its log");
	if (!record.seq || record.seq == history->seq)
		return stream_damaged(history, cpu, stream, head.seq, "a number that another record had");
	for (uint32_t i = 0; i < head.count; i++) {
		struct kvmap_log_pair pair;

		memcpy(&pair, log + stream->offset + sizeof(head) + i * sizeof(pair), sizeof(pair));
		if (array_push(&history->pairs, pair) < 0)
			return no_memory(history);
	}
	if (array_push(&history->pending, record) < 0)
		return no_memory(history);
	stream->offset += sizeof(head) + head.count * (uint32_t)sizeof(struct kvmap_log_pair);
	return 1;
}

/* The end of the records, as an offset; 0: it cannot be. */
static uint32_t end_of(const struct stream *stream, const struct kvmap_log *log)
{
	uint64_t end = log->next - KVMAP_DIRECT_BASE - stream->gpa;

	return end > stream->size || end < stream->offset || end % sizeof(struct kvmap_log_record)
		       ? 0
		       : (uint32_t)end;
}

static int stream_read(struct history *history, unsigned int cpu, struct stream *stream,
		       const struct view *view)
{
	const uint8_t *bytes = view_bytes(view, stream->gpa, stream->size);
	struct kvmap_log log;
	uint32_t end;
	int result = 1;

	if (!bytes || stream->is_damaged)
		return 0;
	memcpy(&log, bytes, sizeof(log));
	if (!log.next)
		return 0; /* not opened yet */
	if (log.laps == stream->laps + 1) {
		stream->laps++;
		stream->offset = sizeof(log);
		history->stats.laps++;
	} else if (log.laps != stream->laps) {
		return stream_damaged(history, cpu, stream, log.laps, "a number of laps that cannot be");
	}
	end = end_of(stream, &log);
	if (!end)
		return stream_damaged(history, cpu, stream, log.next,
				      "an end outside of the log, or before what was read");
	while (stream->offset < end && result > 0)
		result = record_read(history, cpu, stream, bytes, end);
	return result < 0 ? -1 : 0;
}

int streams_read(struct history *history, const struct view *view)
{
	for (unsigned int i = 0; i < 2 * history->config.cpus; i++)
		if (history->pending.count < PENDING_MAX &&
		    stream_read(history, i / 2, &history->streams[i], view) < 0)
			return -1;
	return 0;
}
