/* SPDX-License-Identifier: MIT */
/*
 * frames.c: kvmap frames SOURCE [FRAME]
 */
#include "base/escape.h"
#include "base/number.h"
#include "base/page.h"
#include "commands/inspection.h"
#include "inspect/address.h"
#include "report/frames.h"

#include <inttypes.h>
#include <string.h>

#define REACHES_LISTED 16
#define COLUMNS        80 /* if stdout is no terminal */

struct frames_options {
	struct source_options source; /* its second argument is FRAME */
	bool all;
};

enum { OPTION_ALL = 512 };

static const struct argp_option options_list[] = {
	{ "all", OPTION_ALL, NULL, 0, "list everything that leads to FRAME, not the first 16 only", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct frames_options *options = state->input;

	(void)argument;
	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &options->source; return 0;
	case OPTION_ALL: options->all = true; return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static int parse_options(int argc, char **argv, struct frames_options *out)
{
	static const char doc[] =
		"Prints the owners of the page frames of SOURCE, a core file, a VM that runs or a script that is run first: "
		"as its guest claims, or, where it makes no claims, as its page tables show; a map of memory; "
		"and how the frames of neighbouring pages lie. With FRAME: the owner of that frame, and every "
		"address, PTE and area that leads to it."
		"\vFRAME is an address in guest physical memory, 0x1001000 (any byte of the frame will do), or "
		"its number after `pfn:`, pfn:0x1001, or a variable of the guest's script, a or a+4096: the frame that is "
		"mapped there. Exit status 1: a frame has no owner, or several.";
	const struct argp_child children[] = { { &source_options_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { options_list, parse, "SOURCE [FRAME]", doc, children, NULL, NULL };

	*out = (struct frames_options){ .source = source_options_default("FRAME") };
	out->source.extra_optional = true;
	return command_parse(&argp, argc, argv, out);
}

/* The frame at which an address is mapped; -1 with an error if it is not. */
static int frame_at(const struct source *source, const char *text, uint64_t address, uint64_t *out,
		    struct error *error)
{
	struct walk walk;

	walk_translate(source->view, &source->mode, address, &walk);
	if (walk.stop != WALK_MAPPED)
		return error_set(error, ERROR_INPUT, 0, address,
				 "`%s` is 0x%" PRIx64 ", which is not mapped: see `kvmap walk`", text,
				 address);
	*out = walk.gpa / PAGE_4K;
	return 0;
}

/* Parses an address, pfn:NUMBER or a variable of the script. *out is the frame's number. */
static int parse_frame(const char *text, const struct source *source, uint64_t *out, struct error *error)
{
	int variable = address_of_variable(text, source->claims, out, error);
	size_t length = strlen(text);
	bool number = length > 4 && !memcmp(text, "pfn:", 4);
	size_t before = number ? 4 : 0;
	enum number_result result = NUMBER_MALFORMED;
	uint64_t value;

	if (variable)
		return variable < 0 ? -1 : frame_at(source, text, *out, out, error);
	if (number)
		result = number_parse(text + before, length - before, &value);
	if (result == NUMBER_TOO_LARGE)
		value = UINT64_MAX;
	else if (result != NUMBER_OK &&
		 source_options_address_or_name(
			 text, "a guest physical address (0x...) nor pfn:NUMBER nor a variable of the script",
			 source->claims, NULL, &value, error) < 0)
		return -1;
	if (value >> (number ? 40 : 52))
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s is beyond the 52 bits that a physical address can have", text);
	*out = number ? value : value / PAGE_4K;
	return 0;
}

static int show_frames(struct inspection *inspection, struct source *source, const struct frames *frames,
		       struct report *report)
{
	bool wrong = frames->by_kind[FRAME_NO_OWNER] || frames->by_kind[FRAME_SEVERAL] || frames->cut_short;
	int status = inspection_status(inspection, source, wrong);
	unsigned int columns = command_columns();
	struct frame_scatter scatter;
	struct report_frames about = {
		.frames = frames,
		.scatter = &scatter,
		.scatter_of = source->claims ? "Pages of the vmalloc range" : "All pages",
		.columns = columns ? columns : COLUMNS,
	};

	if (!inspection_is_reported(status))
		return status;
	if (source->claims)
		frames_scatter(source->view, &source->mode, KVMAP_VMALLOC_START, KVMAP_VMALLOC_END - 1,
			       &scatter);
	else
		frames_scatter(source->view, &source->mode, 0, ~0ull, &scatter);
	report_frames(report, &about);
	return status;
}

/* The error of a frame that nothing is said about: there is no memory, and no table points to it. */
static void no_memory(const struct source *source, uint64_t pfn, struct error *error)
{
	const struct view *view = source->view;
	char size[40];
	uint64_t end = 0;

	for (unsigned int i = 0; i < view->region_count; i++)
		if (view->regions[i].gpa + view->regions[i].size > end)
			end = view->regions[i].gpa + view->regions[i].size;
	error_set(error, ERROR_INPUT, 0, pfn * PAGE_4K,
		  "frame 0x%" PRIx64 ", GPA 0x%" PRIx64
		  ": no memory is there, and no page table points there; the "
		  "guest has %s, up to GPA 0x%" PRIx64,
		  pfn, pfn * PAGE_4K, number_bytes(view_size(view), size, sizeof(size)), end);
}

static int show_frame(struct inspection *inspection, struct source *source, const struct frames *frames,
		      const struct frames_options *options, struct report *report)
{
	struct frame_reaches reaches = { 0 };
	struct owners owners = { 0 };
	struct report_frame about = {
		.view = source->view,
		.reaches = &reaches,
		.claims = source->claims,
		.owners = &owners,
		.symbols = source->symbols,
	};
	struct error error;
	int status;

	if (parse_frame(options->source.extra, source, &about.pfn, &error) < 0 ||
	    frames_reach(source->view, &source->mode, about.pfn,
			 options->all ? FRAME_REACHES_MAX : REACHES_LISTED, &reaches, &error) < 0)
		return inspection_fail(inspection, &error, NULL);
	about.run = frames_find(frames, about.pfn);
	if (!about.run && !reaches.leaves && !reaches.tables) {
		no_memory(source, about.pfn, &error);
		frame_reaches_destroy(&reaches);
		return inspection_fail(inspection, &error, NULL);
	}
	if (source->claims && owners_collect(source->claims, &owners) < 0) {
		error_set(&error, ERROR_HOST, ENOMEM, 0, "the owners of the guest's frames");
		status = inspection_fail(inspection, &error, NULL);
	} else {
		status = inspection_status(inspection, source,
					   reaches.cut_short ||
						   (about.run && frame_kinds[about.run->kind].wrong));
		if (inspection_is_reported(status))
			report_frame(report, &about);
	}
	owners_destroy(&owners);
	frame_reaches_destroy(&reaches);
	return status;
}

static int show(struct inspection *inspection, struct source *source, void *context)
{
	const struct frames_options *options = context;
	struct frames frames = { 0 };
	struct report report;
	struct error error;
	int status;

	if (!inspection_has_mode(inspection, source))
		return EXIT_NOT_DONE;
	inspection_warn(inspection);
	inspection_report(inspection, &report);
	if (frames_collect(source->view, &source->mode, source->claims, &frames, &error) < 0)
		status = inspection_fail(inspection, &error, NULL);
	else if (options->source.extra)
		status = show_frame(inspection, source, &frames, options, &report);
	else
		status = show_frames(inspection, source, &frames, &report);
	frames_destroy(&frames);
	return status;
}

static int run(int argc, char **argv)
{
	struct frames_options options;

	if (parse_options(argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	return inspection_run(&options.source, SOURCE_CLAIMS, show, &options);
}

const struct command frames_command = {
	"frames",
	"owners of page frames; for one frame, every mapping and table that points to it",
	run,
};
