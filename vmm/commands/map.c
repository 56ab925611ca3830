/* SPDX-License-Identifier: MIT */
/*
 * map.c: kvmap map SOURCE
 */
#include "commands/commands.h"
#include "commands/source.h"

#include <stdlib.h>

int command_map(int argc, char **argv)
{
	struct source_options options;
	struct ranges ranges = { 0 };
	struct source source;
	struct report report;
	struct error error;
	uint64_t *breaks;
	size_t count;
	int status;

	if (source_parse(
		    argc, argv, "SOURCE",
		    "Prints every mapped range of SOURCE, a core file, a VM that runs or a script that is run first.",
		    NULL, &options) < 0 ||
	    source_open(options.source, &options.common, &source) < 0)
		return EXIT_NOT_DONE;
	breaks = claims_area_starts(source.claims, &count);
	if (!source.has_mode) {
		status = command_fail(&source.no_claims, NULL);
	} else if (ranges_collect(source.view, &source.mode, 0, ~0ull, breaks, count, &ranges, &error) < 0) {
		status = command_fail(&error, NULL);
	} else {
		source_resume(&source);
		source_warn(&source);
		source_report(&source, &report, options.common.json);
		report_map(&report, &ranges, source.claims, source.symbols);
		status = source_finish(&source, &report,
				       ranges.damaged || ranges.cut_short ? EXIT_FINDING : EXIT_VERIFIED);
	}
	free(breaks);
	ranges_destroy(&ranges);
	source_close(&source);
	return status;
}
