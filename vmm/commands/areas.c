/* SPDX-License-Identifier: MIT */
/*
 * areas.c: kvmap areas SOURCE
 */
#include "commands/commands.h"
#include "commands/source.h"

int command_areas(int argc, char **argv)
{
	struct source_options options;
	struct source source;
	struct report report;
	int status;

	if (source_parse(
		    argc, argv, "SOURCE",
		    "Prints the vmalloc areas as the guest of SOURCE, a core file or a script that is run first, "
		    "claims them, beside what its page tables say.",
		    NULL, &options) < 0 ||
	    source_open(options.source, &options.common, &source) < 0)
		return EXIT_NOT_DONE;
	if (!source.claims) {
		status = command_fail(&source.no_claims, NULL);
	} else {
		command_report(&report, options.common.json);
		report_areas(&report, source.claims, source.view, &source.mode, source.symbols);
		status = command_finish(EXIT_VERIFIED);
	}
	source_close(&source);
	return status;
}
