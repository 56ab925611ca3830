/* SPDX-License-Identifier: MIT */
/*
 * writer.c: a file of events, and a model whose events are recorded.
 */
#include "base/escape.h"
#include "tlb/event_file.h"

#include <errno.h>
#include <string.h>

FILE *event_file_create(const char *path, struct error *error)
{
	FILE *file = fopen(path, "wbe");
	char name[256];

	if (!file)
		error_set(error, ERROR_INPUT, errno, 0, "cannot write %s",
			  text_escape(path, strlen(path), name, sizeof(name)));
	return file;
}

int event_file_close(FILE *file, const char *path, struct error *error)
{
	bool is_written = !ferror(file);
	char name[256];

	if (fclose(file) == 0 && is_written)
		return 0;
	return error_set(error, ERROR_HOST, errno, 0, "cannot write all of %s",
			 text_escape(path, strlen(path), name, sizeof(name)));
}

static void put(struct event_writer *writer, uint64_t number, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(number >> (8 * i));
	fwrite(bytes, 1, size, writer->stream);
}

void event_writer_begin(struct event_writer *writer, FILE *stream, const struct tlb_config *config)
{
	const struct tlb_limits *limits = &config->limits;
	const uint32_t numbers[] = {
		EVENT_FILE_VERSION,
		config->cpus,
		config->rules,
		(config->pages_1g ? EVENT_FILE_PAGES_1G : 0) | (config->strict ? EVENT_FILE_STRICT : 0) |
			(uint32_t)config->phase << EVENT_FILE_PHASE_SHIFT,
		config->disbelieve,
		limits->pages,
		limits->debts,
		limits->debts_per_address,
		limits->contexts,
		limits->roots,
		limits->places,
		limits->findings,
	};

	*writer = (struct event_writer){ .stream = stream };
	fwrite(EVENT_FILE_MAGIC, 1, sizeof(EVENT_FILE_MAGIC) - 1, stream);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		put(writer, numbers[i], 4);
	put(writer, config->local_start, 8);
	put(writer, config->local_end, 8);
}

static void put_entries(struct event_writer *writer, const uint64_t *entries)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < 512; i++)
		count += entries[i] != 0;
	put(writer, count, 2);
	for (unsigned int i = 0; i < 512; i++)
		if (entries[i]) {
			put(writer, i, 2);
			put(writer, entries[i], 8);
		}
}

void event_writer_add(struct event_writer *writer, const struct tlb_event *event)
{
	put(writer, event->kind, 1);
	put(writer, event->flags, 1);
	put(writer, event->cpu, 2);
	for (const char *fields = tlb_event_fields(event->kind); fields && *fields; fields++)
		switch (*fields) {
		case 'A': put(writer, event->address, 8); break;
		case 'V': put(writer, event->value, 8); break;
		case 'O': put(writer, event->old, 8); break;
		case 'T': put(writer, event->thread, 8); break;
		default: put_entries(writer, event->entries); break;
		}
	writer->count++;
}

void event_writer_end(struct event_writer *writer)
{
	put(writer, 0, 4);
	put(writer, writer->count, 8);
}

/* ---- a model that is recorded ---- */

static bool page_recorded(void *context, uint64_t gpa, uint64_t entries[512])
{
	struct event_recorder *recorder = context;
	struct tlb_event event = {
		.kind = TLB_PAGE, .cpu = recorder->cpu, .address = gpa, .entries = entries
	};

	if (!recorder->page || !recorder->page(recorder->context, gpa, entries))
		return false;
	event_writer_add(&recorder->writer, &event);
	return true;
}

int event_recorder_create(struct event_recorder *recorder, FILE *stream, const struct tlb_config *config,
			  struct error *error)
{
	struct tlb_config recorded = *config;

	*recorder = (struct event_recorder){ .page = config->page, .context = config->context };
	recorded.page = page_recorded;
	recorded.context = recorder;
	if (tlb_create(&recorded, &recorder->tlb, error) < 0)
		return -1;
	event_writer_begin(&recorder->writer, stream, config);
	return 0;
}

int event_recorder_feed(struct event_recorder *recorder, const struct tlb_event *event, struct error *error)
{
	recorder->cpu = event->cpu;
	if (tlb_feed(recorder->tlb, event, error) < 0)
		return -1;
	event_writer_add(&recorder->writer, event);
	return 0;
}

void event_recorder_end(struct event_recorder *recorder)
{
	event_writer_end(&recorder->writer);
}
