/* SPDX-License-Identifier: MIT */
/*
 * reader.c: a file of events that anyone may have written. Each field is copied by take(), which alone reads the bytes.
 */
#include "tlb/event_file.h"

#include <inttypes.h>
#include <string.h>

static int refuse(const struct event_reader *reader, size_t offset, const char *what, struct error *error)
{
	return error_set(error, ERROR_INPUT, 0, offset, "%s: offset %zu: %s", reader->name, offset, what);
}

/* The next `size` bytes, at most 8, as a number. False: the file ends before them. */
static bool take(struct event_reader *reader, size_t size, uint64_t *out)
{
	uint64_t number = 0;

	if (size > reader->size - reader->offset)
		return false;
	for (size_t i = 0; i < size; i++)
		number |= (uint64_t)reader->bytes[reader->offset + i] << (8 * i);
	reader->offset += size;
	*out = number;
	return true;
}

static int truncated(const struct event_reader *reader, struct error *error)
{
	char what[160];

	snprintf(what, sizeof(what),
		 "the file is truncated: it ends in record %" PRIu64 " (`kvmap replay --until %" PRIu64
		 "` replays those before it)",
		 reader->count + 1, reader->seq);
	return refuse(reader, reader->size, what, error);
}

/* ---- the header ---- */

enum header_field {
	HEADER_CPUS,
	HEADER_RULES,
	HEADER_FLAGS,
	HEADER_DISBELIEVE,
	HEADER_LIMITS, /* seven */
	HEADER_NUMBERS = HEADER_LIMITS + 7
};

static const char *limits_wrong(const uint64_t number[HEADER_NUMBERS])
{
	const uint64_t *limit = number + HEADER_LIMITS;

	if (limit[0] > EVENT_FILE_PAGES_MAX || limit[1] > EVENT_FILE_DEBTS_MAX || !limit[1] || !limit[2])
		return "a limit of the model that is 0 or too large";
	for (unsigned int i = 2; i < 7; i++)
		if (limit[i] > EVENT_FILE_OTHERS_MAX)
			return "a limit of the model that is too large";
	return NULL;
}

static const char *header_wrong(const uint64_t number[HEADER_NUMBERS])
{
	if (!number[HEADER_CPUS] || number[HEADER_CPUS] > TLB_CPUS_MAX)
		return "number of CPUs not from 1 to 256";
	if (number[HEADER_RULES] >> TLB_RULE_COUNT)
		return "rules that this version does not know";
	if (number[HEADER_FLAGS] & UINT16_MAX & ~(uint64_t)(EVENT_FILE_PAGES_1G | EVENT_FILE_STRICT))
		return "flags that this version does not know";
	return limits_wrong(number);
}

static void header_take(struct event_reader *reader, const uint64_t number[HEADER_NUMBERS])
{
	const uint64_t *limit = number + HEADER_LIMITS;

	reader->config = (struct tlb_config){
		.cpus = (unsigned int)number[HEADER_CPUS],
		.rules = (uint32_t)number[HEADER_RULES],
		.pages_1g = number[HEADER_FLAGS] & EVENT_FILE_PAGES_1G,
		.strict = number[HEADER_FLAGS] & EVENT_FILE_STRICT,
		.phase = (uint16_t)(number[HEADER_FLAGS] >> EVENT_FILE_PHASE_SHIFT),
		.disbelieve = (uint32_t)number[HEADER_DISBELIEVE],
		.limits = { (uint32_t)limit[0], (uint32_t)limit[1], (uint32_t)limit[2], (uint32_t)limit[3],
			    (uint32_t)limit[4], (uint32_t)limit[5], (uint32_t)limit[6] },
	};
}

int event_reader_open(struct event_reader *reader, const void *bytes, size_t size, const char *name,
		      struct error *error)
{
	uint64_t version = 0, number[HEADER_NUMBERS] = { 0 }, end = 0, start = 0;
	const char *wrong;

	*reader = (struct event_reader){ .bytes = bytes, .size = size, .name = name };
	if (size < sizeof(EVENT_FILE_MAGIC) - 1 ||
	    memcmp(bytes, EVENT_FILE_MAGIC, sizeof(EVENT_FILE_MAGIC) - 1) != 0)
		return refuse(reader, 0, "not a file of TLB events: `--record-events` writes them", error);
	if (size < EVENT_FILE_HEADER_SIZE)
		return refuse(reader, size, "the file is truncated: it ends in its header", error);
	reader->offset = sizeof(EVENT_FILE_MAGIC) - 1;
	take(reader, 4, &version);
	if (version != EVENT_FILE_VERSION)
		return refuse(reader, 8, "another version of the format: record the events again", error);
	for (unsigned int i = 0; i < HEADER_NUMBERS; i++)
		take(reader, 4, &number[i]);
	take(reader, 8, &start);
	take(reader, 8, &end);
	wrong = header_wrong(number);
	if (!wrong && start > end)
		wrong = "a range that ends before it begins";
	if (wrong)
		return refuse(reader, 12, wrong, error);
	header_take(reader, number);
	reader->config.local_start = start;
	reader->config.local_end = end;
	return 0;
}

/* ---- records ---- */

/* 1, 0: the file ends here, -1: the indices do not ascend below 512. */
static int take_entries(struct event_reader *reader)
{
	uint64_t count, index, entry, least = 0;

	memset(reader->entries, 0, sizeof(reader->entries));
	if (!take(reader, 2, &count))
		return 0;
	for (uint64_t i = 0; i < count; i++) {
		if (!take(reader, 2, &index) || !take(reader, 8, &entry))
			return 0;
		if (index < least || index >= 512)
			return -1;
		reader->entries[index] = entry;
		least = index + 1;
	}
	return 1;
}

/* As take_entries(). */
static int take_field(struct event_reader *reader, char letter, struct tlb_event *out)
{
	switch (letter) {
	case 'A': return take(reader, 8, &out->address);
	case 'V': return take(reader, 8, &out->value);
	case 'O': return take(reader, 8, &out->old);
	case 'T': return take(reader, 8, &out->thread);
	default: out->entries = reader->entries; return take_entries(reader);
	}
}

static int read_end(struct event_reader *reader, uint64_t flags, uint64_t cpu, size_t start,
		    struct error *error)
{
	uint64_t count;

	if (!take(reader, 8, &count))
		return truncated(reader, error);
	if (flags || cpu || count != reader->count)
		return refuse(reader, start, "the end has another number of records than the file", error);
	if (reader->offset != reader->size)
		return refuse(reader, reader->offset, "bytes after the end", error);
	reader->offset = start;
	return 0;
}

int event_reader_next(struct event_reader *reader, struct tlb_event *out, struct error *error)
{
	size_t start = reader->offset;
	struct tlb_event event = { 0 };
	const char *fields, *wrong;
	uint64_t kind, flags, cpu;

	if (!take(reader, 1, &kind) || !take(reader, 1, &flags) || !take(reader, 2, &cpu))
		return truncated(reader, error);
	if (!kind)
		return read_end(reader, flags, cpu, start, error);
	event.kind = (uint8_t)kind;
	event.flags = (uint8_t)flags;
	event.cpu = (uint16_t)cpu;
	fields = tlb_event_fields(event.kind);
	for (; fields && *fields; fields++) {
		int taken = take_field(reader, *fields, &event);

		if (!taken)
			return truncated(reader, error);
		if (taken < 0)
			return refuse(reader, start,
				      "indices of a page's entries that do not ascend below 512", error);
	}
	wrong = tlb_event_wrong(&event, reader->config.cpus);
	if (wrong)
		return refuse(reader, start, wrong, error);
	reader->count++;
	reader->seq += event.kind != TLB_PAGE;
	*out = event;
	return 1;
}
