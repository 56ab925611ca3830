/* SPDX-License-Identifier: MIT */
/*
 * diff.c: kvmap diff SOURCE SOURCE
 */
#include "commands/inspection.h"
#include "report/diff.h"

#include <string.h>

struct diff_options {
	struct options common;
	struct vm_options vm;
	const char *sources[2];
	bool entries, contents, all;
};

enum { OPTION_ALL = 512, OPTION_CONTENTS, OPTION_ENTRIES };

static const struct argp_option options_list[] = {
	{ "entries", OPTION_ENTRIES, NULL, 0, "list the page-table entries that differ", 0 },
	{ "contents", OPTION_CONTENTS, NULL, 0, "compare what areas hold, too, page by page", 0 },
	{ "all", OPTION_ALL, NULL, 0, "list everything, not the first 40 of each only; runs of frames too",
	  0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct diff_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->child_inputs[1] = &options->common;
		state->child_inputs[2] = &options->vm;
		return 0;
	case OPTION_ALL: options->all = true; return 0;
	case OPTION_CONTENTS: options->contents = true; return 0;
	case OPTION_ENTRIES: options->entries = true; return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num < 2)
			options->sources[state->arg_num] = argument;
		else
			argp_error(state, "`%s` is one argument too many", argument);
		return 0;
	case ARGP_KEY_END:
		if (options->common.operations)
			argp_error(state,
				   "-e makes one SOURCE, and two are compared: put OPERATIONS into a file");
		if (state->arg_num < 2)
			argp_error(
				state,
				"two SOURCEs are needed, each a core file, a process id, a control socket, or a script to run "
				"first, by its file or - for standard input");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static int parse_options(int argc, char **argv, struct diff_options *out)
{
	static const char doc[] =
		"Prints what is not the same in two SOURCEs, core files, scripts that are run first or running VMs: what is "
		"mapped, entries of page tables, areas, owners of frames, registers. A guest that makes no claims "
		"is compared by its tables alone."
		"\vExit status 0: they are the same. 1: they differ. 2: it could not be done. Accessed and dirty "
		"bits do not count, nor do registers but CR0, CR3, CR4 and EFER.";
	const struct argp_child children[] = { { &options_argp, 0, NULL, 0 },
					       { &options_verbose_argp, 0, NULL, 0 },
					       { &vm_options_argp, 0, NULL, 0 },
					       { 0 } };
	const struct argp argp = { options_list, parse, "SOURCE SOURCE", doc, children, NULL, NULL };

	*out = (struct diff_options){ 0 };
	options_default(&out->common);
	return command_parse(&argp, argc, argv, out);
}

/* The differences, and what was compared. */
struct findings {
	struct diff_side sides[2];
	struct diff_tables tables;
	struct frames frames[2];
	struct diff_frames moved;
	struct diff_areas areas;
	struct diff_contents contents;
	bool claims; /* both sources have claims */
};

static int find(const struct source *sources, const struct diff_options *options, struct findings *out,
		struct error *error)
{
	for (unsigned int i = 0; i < 2; i++) {
		out->sides[i] = (struct diff_side){ sources[i].view, &sources[i].mode, sources[i].claims };
	}
	out->claims = sources[0].claims && sources[1].claims;
	if (diff_tables(&out->sides[0], &out->sides[1], options->entries, &out->tables, error) < 0)
		return -1;
	for (unsigned int i = 0; i < 2; i++)
		if (frames_collect(sources[i].view, &sources[i].mode, out->claims ? sources[i].claims : NULL,
				   &out->frames[i], error) < 0)
			return -1;
	if (diff_frames(&out->frames[0], &out->frames[1], &out->moved, error) < 0)
		return -1;
	if (!out->claims)
		return 0;
	if (diff_areas(sources[0].claims, sources[1].claims, &out->areas, error) < 0)
		return -1;
	return options->contents ? diff_contents(&out->sides[0], &out->sides[1], &out->contents, error) : 0;
}

static bool is_same(const struct findings *findings)
{
	struct diff_register differs;

	for (unsigned int level = 1; level <= 5; level++)
		if (findings->tables.by_level[level])
			return false;
	for (size_t next = 0;
	     diff_register_next(findings->sides[0].view, findings->sides[1].view, &next, &differs);)
		if (differs.translates)
			return false;
	return !findings->contents.pages && !findings->tables.pages && !findings->moved.frames &&
	       !findings->areas.count && !findings->tables.cut_short;
}

/* Names of addresses of both sources; NULL: the second has none, or its program runs at another address. */
static struct symbols *symbols_of(const struct source *sources)
{
	struct symbols *before = sources[0].symbols, *after = sources[1].symbols;

	return before && after && symbols_offset(before) != symbols_offset(after) ? NULL : after;
}

static int compare(struct inspection *inspection, struct source *sources, void *context)
{
	const struct diff_options *options = context;
	struct findings findings = { 0 };
	struct report_diff about = {
		.before = &findings.sides[0],
		.after = &findings.sides[1],
		.tables = &findings.tables,
		.frames = &findings.moved,
		.symbols = symbols_of(sources),
		.entries = options->entries,
		.all = options->all,
	};
	struct report report;
	struct error error;
	int status;

	if (!inspection_has_mode(inspection, &sources[0]) || !inspection_has_mode(inspection, &sources[1]))
		return EXIT_NOT_DONE;
	if (find(sources, options, &findings, &error) < 0) {
		status = inspection_fail(inspection, &error, NULL);
	} else {
		about.frames_from_claims = findings.claims;
		about.areas = findings.claims ? &findings.areas : NULL;
		about.contents = findings.claims && options->contents ? &findings.contents : NULL;
		inspection_report(inspection, &report);
		report_diff(&report, &about);
		status = is_same(&findings) ? EXIT_VERIFIED : EXIT_FINDING;
	}
	diff_tables_destroy(&findings.tables);
	diff_frames_destroy(&findings.moved);
	diff_areas_destroy(&findings.areas);
	diff_contents_destroy(&findings.contents);
	frames_destroy(&findings.frames[0]);
	frames_destroy(&findings.frames[1]);
	return status;
}

static bool is_number(const char *name)
{
	return strspn(name, "0123456789") == strlen(name);
}

/* Opens both. -1 when the error is printed. */
static int open_sources(const struct diff_options *options, struct source sources[2])
{
	struct source_config config = {
		.claims = SOURCE_CLAIMS,
		.program = options->common.program,
		.stop = options->vm.stop,
		.wait = options->vm.wait,
		.session = options->common.session,
	};
	/* A script runs before a process is stopped. */
	unsigned int first = options->vm.stop && is_number(options->sources[0]), second = !first;

	if (inspection_open(options->sources[first], &config, &sources[first]) < 0)
		return -1;
	/* Nor is it stopped twice. */
	if (!strcmp(options->sources[first], options->sources[second]))
		config.stop = false;
	if (inspection_open(options->sources[second], &config, &sources[second]) == 0)
		return 0;
	source_close(&sources[first]);
	return -1;
}

static int run(int argc, char **argv)
{
	struct diff_options options;
	struct source sources[2];
	int status;

	if (parse_options(argc, argv, &options) < 0 || open_sources(&options, sources) < 0)
		return EXIT_NOT_DONE;
	status = inspection_run_sources(sources, 2, &options.common, compare, &options);
	source_close(&sources[0]);
	source_close(&sources[1]);
	return status;
}

const struct command diff_command = {
	"diff",
	"what changed between two points: mappings, areas, frames, table entries",
	run,
};
