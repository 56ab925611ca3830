/* SPDX-License-Identifier: MIT */
/*
 * replay.c: kvmap replay FILE
 */
#include "base/number.h"
#include "base/private_file.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "report/replay.h"
#include "tlb/event_file.h"

#include <errno.h>
#include <string.h>

enum { OPTION_JSON = 256, OPTION_UNTIL, OPTION_DISBELIEVE, OPTION_STRICT, OPTION_LIST, OPTION_RECORD };

struct replay_options {
	const char *file, *record;
	uint64_t until;
	uint32_t disbelieve;
	bool json, strict, list;
};

static const struct argp_option argp_options[] = {
	{ "json", OPTION_JSON, NULL, 0, "print JSON lines instead of text", 0 },
	{ "until", OPTION_UNTIL, "N", 0, "replay the first N events only; what follows is not read", 0 },
	{ "list", OPTION_LIST, NULL, 0, "print the events, too", 0 },
	{ "record-events", OPTION_RECORD, "OUT", 0,
	  "write the events that were replayed to OUT, with --until the beginning of FILE", 0 },
	{ "strict", OPTION_STRICT, NULL, 0,
	  "each removal is over at once: for a guest that never enters ring 3", 0 },
	{ "disbelieve", OPTION_DISBELIEVE, "N", 0,
	  "ignore every Nth flush: what the rules then find shows how sensitive they are", 0 },
	{ 0 },
};

static error_t parse_until(struct argp_state *state, const char *text, uint64_t *out)
{
	if (number_parse(text, strlen(text), out) == NUMBER_OK && *out)
		return 0;
	argp_error(state, "--until `%s` is not a number from 1 on", text);
	return EINVAL;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct replay_options *options = state->input;

	switch (key) {
	case OPTION_JSON: options->json = true; return 0;
	case OPTION_STRICT: options->strict = true; return 0;
	case OPTION_LIST: options->list = true; return 0;
	case OPTION_RECORD: options->record = options_path(state, "--record-events", argument); return 0;
	case OPTION_UNTIL: return parse_until(state, argument, &options->until);
	case OPTION_DISBELIEVE:
		return options_count(state, "--disbelieve", argument, UINT32_MAX, &options->disbelieve);
	case ARGP_KEY_ARG:
		if (options->file)
			argp_error(state, "one FILE at a time");
		options->file = argument;
		return 0;
	case ARGP_KEY_END:
		if (!options->file)
			argp_error(state, "FILE is missing");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Verifies a recording of page-table changes, TLB flushes and accesses once more, and prints the verdict."
	       "\vThe rules and the format of FILE are in docs/tlb-model.md. Exit status: 0 no findings, 1 at least one "
	       "finding, 2 it could not be done.",
};

struct replay {
	struct event_reader reader;
	struct tlb *tlb;
	struct report report;
	FILE *record; /* NULL: none */
	struct event_writer writer;
	bool list;
	uint64_t until; /* 0: all */
};

/* Whether a page is needed by one of the events that are replayed is not known: it is taken. */
static bool is_at_end(const struct replay *replay)
{
	return replay->until && replay->reader.seq >= replay->until;
}

static int replay_events(struct replay *replay, struct error *error)
{
	struct tlb_event event;
	int result = 0;

	while (!is_at_end(replay) && (result = event_reader_next(&replay->reader, &event, error)) > 0) {
		if (replay->list)
			report_event(&replay->report, replay->reader.seq + (event.kind == TLB_PAGE), &event);
		if (replay->record)
			event_writer_add(&replay->writer, &event);
		if (tlb_feed(replay->tlb, &event, error) < 0)
			return -1;
	}
	return result < 0 ? -1 : 0;
}

static int record_open(const struct replay_options *options, struct replay *replay, struct error *error)
{
	if (!options->record)
		return 0;
	replay->record = event_file_create(options->record, error);
	if (!replay->record)
		return -1;
	event_writer_begin(&replay->writer, replay->record, &replay->reader.config);
	return 0;
}

static int record_close(const struct replay_options *options, struct replay *replay, struct error *error)
{
	if (!replay->record)
		return 0;
	event_writer_end(&replay->writer);
	return event_file_close(replay->record, options->record, error);
}

static int replay_file(const struct replay_options *options, const struct private_file *file,
		       struct replay *replay, struct error *error)
{
	int result;

	if (event_reader_open(&replay->reader, file->bytes, file->size, file->name, error) < 0)
		return -1;
	replay->reader.config.strict |= options->strict;
	if (options->disbelieve)
		replay->reader.config.disbelieve = options->disbelieve;
	if (tlb_create(&replay->reader.config, &replay->tlb, error) < 0 ||
	    record_open(options, replay, error) < 0)
		return -1;
	result = replay_events(replay, error);
	if (result == 0)
		return record_close(options, replay, error);
	if (replay->record)
		fclose(replay->record);
	return -1;
}

/* Without a change of a page table there was nothing to verify. */
static int verdict(const struct tlb *tlb)
{
	if (tlb_finding_count(tlb))
		return EXIT_FINDING;
	return tlb_stats(tlb)->entries_changed ? EXIT_VERIFIED : EXIT_NOT_DONE;
}

static int run(int argc, char **argv)
{
	struct replay_options options = { 0 };
	static struct replay replay;
	struct private_file file = { .fd = -1 };
	struct error error;
	int status;

	if (command_parse(&argp, argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	if (private_file_read(options.file, "", &file, &error) < 0)
		return command_fail(&error, NULL);
	replay = (struct replay){ .list = options.list, .until = options.until };
	command_report(&replay.report, options.json);
	if (replay_file(&options, &file, &replay, &error) < 0) {
		status = command_fail(&error, NULL);
	} else {
		const struct tlb_result result = tlb_result(replay.tlb);
		const struct report_replay about = {
			.file = file.name,
			.result = &result,
			.is_cut = is_at_end(&replay) && replay.reader.offset + 12 < replay.reader.size,
		};

		report_replay(&replay.report, &about);
		status = command_finish(verdict(replay.tlb));
	}
	tlb_destroy(replay.tlb);
	private_file_close(&file);
	return status;
}

const struct command replay_command = {
	"replay",
	"the verdict on recorded page-table changes, TLB flushes and accesses",
	run,
};
