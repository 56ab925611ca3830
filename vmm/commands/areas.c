/* SPDX-License-Identifier: MIT */
/*
 * areas.c: kvmap areas SOURCE
 */
#include "commands/commands.h"
#include "source/source.h"

#include <stdlib.h>

static int show_areas(struct source *source, void *context)
{
	const bool *json = context;
	struct verdict verdict = { 0 };
	struct report report;
	uint32_t *findings;
	struct error error;
	int status;

	if (source_verify(source, &verdict, &findings, &error) < 0)
		return source_fail(source, &error, NULL);
	struct report_areas about = {
		.claims = source->claims,
		.view = source->view,
		.mode = &source->mode,
		.symbols = source->symbols,
		.verdict = &verdict,
		.findings = findings,
	};
	status = source_judge(source, &verdict);
	if (status == EXIT_VERIFIED || status == EXIT_FINDING) {
		source_report(source, &report, *json);
		report_areas(&report, &about);
	}
	verdict_destroy(&verdict);
	free(findings);
	return status;
}

int command_areas(int argc, char **argv)
{
	struct source_options options;
	struct source source;
	int status;

	if (source_parse(
		    argc, argv, "SOURCE",
		    "Prints the vmalloc areas as the guest of SOURCE, a core file, a VM that runs or a script that is run first, "
		    "claims them, in the form of Linux's /proc/vmallocinfo; what its page tables say; and the "
		    "verdict on each. Exit status 1: there are findings.",
		    NULL, &options) < 0 ||
	    source_open(options.source, &options.common, SOURCE_CLAIMS, &source) < 0)
		return EXIT_NOT_DONE;
	status = source_look(&source, 1, show_areas, &options.common.json);
	source_close(&source);
	return status;
}
