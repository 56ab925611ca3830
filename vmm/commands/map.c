/* SPDX-License-Identifier: MIT */
/*
 * map.c: kvmap map SOURCE
 */
#include "commands/address_parse.h"
#include "commands/inspection.h"
#include "commands/watch.h"
#include "report/map.h"

#include <stdlib.h>
#include <string.h>

enum {
	OPTION_ALL = 0x2000,
	OPTION_CHECK,
	OPTION_CPU,
	OPTION_EXECUTABLE,
	OPTION_OWNER,
	OPTION_RANGE,
	OPTION_USER,
	OPTION_WATCH,
	OPTION_WRITABLE,
};

struct map_options {
	struct source_options source;
	struct map_filter filter; /* but for `range` */
	const char *range;        /* START-END; NULL: everything */
	bool all, check, watch;
	bool at_end; /* the VM of kvmap is at its end, where it is held */
};

static const struct argp_option map_argp_options[] = {
	{ "all", OPTION_ALL, NULL, 0, "a line for every range, nothing folded", 0 },
	{ "check", OPTION_CHECK, NULL, 0,
	  "check for pages that are writable and executable, for frames that are mapped twice beyond the direct map, and "
	  "for page tables that can be written; exit status 1 if there are any",
	  0 },
	{ "cpu", OPTION_CPU, "N", 0, "the tables of CPU N (default: the first CPU with paging)", 0 },
	{ "watch", OPTION_WATCH, NULL, 0,
	  "show the map again twice a second, until the guest's end or Ctrl-C: + marks lines that are new, - those that are "
	  "gone; in a terminal",
	  0 },
	{ "writable", OPTION_WRITABLE, NULL, 0, "only what is writable", 0 },
	{ "executable", OPTION_EXECUTABLE, NULL, 0, "only what is executable", 0 },
	{ "user", OPTION_USER, NULL, 0, "only what the user can reach", 0 },
	{ "range", OPTION_RANGE, "START-END", 0,
	  "only what has an address from START to before END, each a number, a variable of the guest's script, a or a+4096, or "
	  "SYMBOL[+OFFSET]; without END to the end",
	  0 },
	{ "owner", OPTION_OWNER, "NAME", 0,
	  "only one kind (unknown, nothing, null_page, area, deferred, freed, guard, stray, direct, text, rodata, data, "
	  "image), or the areas that a function allocated",
	  0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct map_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &options->source; return 0;
	case OPTION_ALL: options->all = true; return 0;
	case OPTION_CHECK: options->check = true; return 0;
	case OPTION_CPU: return source_options_cpu(state, argument, &options->source);
	case OPTION_WATCH: options->watch = true; return 0;
	case OPTION_WRITABLE: options->filter.writable = true; return 0;
	case OPTION_EXECUTABLE: options->filter.executable = true; return 0;
	case OPTION_USER: options->filter.user = true; return 0;
	case OPTION_RANGE:
		if (!strchr(argument, '-'))
			argp_error(state, "--range `%s` is not START-END, two addresses", argument);
		options->range = argument;
		return 0;
	case OPTION_OWNER: options->filter.owner = argument; return 0;
	case ARGP_KEY_END:
		if (options->watch && options->source.common.json)
			argp_error(state, "--watch is for reading: it cannot be combined with --json");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static int parse_options(int argc, char **argv, struct map_options *out)
{
	const struct argp_child children[] = { { &source_options_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		.options = map_argp_options,
		.parser = parse,
		.args_doc = "SOURCE",
		.doc = "Prints every mapped range of SOURCE, a core file, a VM that runs or a script that is run first. What repeats is "
		       "folded.",
		.children = children,
	};

	*out = (struct map_options){ .source = source_options_default(NULL), .filter.end = UINT64_MAX };
	return command_parse(&argp, argc, argv, out);
}

/* The parts of a map, in the order in which they are built. All are destroyed at the end, built or not. */
struct work {
	struct map_filter filter;
	struct ranges ranges;
	struct ranges all; /* of the guest: for --check with --range */
	struct map_direct direct;
	struct memory_map map;
	struct map_lines lines;
	struct map_violations violations;
};

/* The ranges from `start` to `end`, both inclusive. */
static int collect(struct source *source, uint64_t start, uint64_t end, struct ranges *out,
		   struct error *error)
{
	size_t count;
	uint64_t *breaks = claims_area_starts(source->claims, &count);
	int result = ranges_collect(source->view, &source->mode, start, end, breaks, count, out, error);

	free(breaks);
	return result;
}

static int work_read(const struct map_options *options, struct source *source, struct work *work,
		     struct error *error)
{
	const struct map_filter *filter = &work->filter;
	bool part = filter->start || filter->end != UINT64_MAX;
	struct map_check_input input = {
		.view = source->view,
		.mode = &source->mode,
		.start = filter->start,
		.end = filter->end,
		.ranges = &work->ranges,
		.all = &work->ranges,
		.direct = &work->direct,
		.claims = source->claims,
	};

	if (collect(source, filter->start, filter->end, &work->ranges, error) < 0)
		return -1;
	if (options->check && part) {
		/* The direct map and the image may lie elsewhere. */
		if (collect(source, 0, UINT64_MAX, &work->all, error) < 0)
			return -1;
		input.all = &work->all;
	}
	work->direct = map_direct(input.all, source->view, source->claims);
	return options->check ? map_check(&input, &work->violations, error) : 0;
}

/* Everything at once, where nothing is needed twice: the direct map of kvmap's own guest is known beforehand. */
static bool is_one_pass(const struct map_options *options, const struct source *source)
{
	return source->claims && !options->check && !options->all && !options->source.common.json;
}

static int work_fold(const struct source *source, struct work *work, struct error *error)
{
	const struct map_source from = {
		.view = source->view,
		.mode = &source->mode,
		.direct = map_direct(NULL, source->view, source->claims),
		.claims = source->claims,
		.symbols = source->symbols,
	};

	return map_read_folded(&from, &work->filter, &work->map, &work->lines, &work->ranges, error);
}

static int work_build(const struct map_options *options, const struct source *source, struct work *work,
		      struct error *error)
{
	if (map_build(&work->ranges, &work->direct, source->claims, source->symbols, &work->filter,
		      &work->map, error) < 0)
		return -1;
	return map_fold(&work->map, !options->all && !options->source.common.json, &work->lines, error);
}

static int work_do(const struct map_options *options, struct source *source, struct work *work,
		   struct error *error)
{
	if (is_one_pass(options, source)) {
		if (work_fold(source, work, error) < 0)
			return -1;
	} else if (work_read(options, source, work, error) < 0 ||
		   work_build(options, source, work, error) < 0) {
		return -1;
	}
	return work->filter.owner ? map_check_owner(&work->map, source->symbols, work->filter.owner, error)
				  : 0;
}

static int work_report(const struct map_options *options, struct inspection *inspection,
		       const struct source *source, const struct work *work)
{
	const struct report_map input = {
		.map = &work->map,
		.lines = &work->lines,
		.ranges = &work->ranges,
		.cpu = &source->view->cpus[source->cpu],
		.cpu_number = source->cpu,
		.violations = options->check ? &work->violations : NULL,
		.all = options->all,
	};
	bool found = work->ranges.damaged || work->ranges.cut_short || work->violations.count ||
		     work->violations.cut_short;
	struct report report;

	inspection_warn(inspection);
	inspection_report(inspection, &report);
	report_map(&report, &input);
	return found ? EXIT_FINDING : EXIT_VERIFIED;
}

static int show_map(struct inspection *inspection, struct source *source, void *context)
{
	struct map_options *options = context;
	struct work work = { .filter = options->filter };
	struct error error;
	int status;

	options->at_end =
		source->vm.client && control_client_hello(source->vm.client)->state == CONTROL_AT_END;
	if (!inspection_has_mode(inspection, source))
		return EXIT_NOT_DONE;
	if (options->range && address_parse_range(options->range, source->claims, source->symbols,
						  &work.filter.start, &work.filter.end, &error) < 0)
		return inspection_fail(inspection, &error, NULL);
	if (work_do(options, source, &work, &error) < 0)
		status = inspection_fail(inspection, &error, NULL);
	else
		status = work_report(options, inspection, source, &work);
	map_violations_destroy(&work.violations);
	map_lines_destroy(&work.lines);
	map_destroy(&work.map);
	ranges_destroy(&work.ranges);
	ranges_destroy(&work.all);
	return status;
}

static int map_once(void *context)
{
	struct map_options *options = context;

	/* Only --check compares frames. */
	return inspection_run(&options->source, options->check ? SOURCE_CLAIMS : SOURCE_AREAS, show_map,
			      options);
}

static int map_watched(void *context, bool *last_out)
{
	struct map_options *options = context;
	int status = map_once(options);

	/* A guest at its end changes no more. */
	*last_out = options->at_end;
	return status;
}

static int run(int argc, char **argv)
{
	struct map_options options;

	if (parse_options(argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	return options.watch ? watch_run(map_watched, &options) : map_once(&options);
}

const struct command map_command = {
	"map",
	"every mapped range, merged, with rights, page size and owner",
	run,
};
