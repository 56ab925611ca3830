/* SPDX-License-Identifier: MIT */
/*
 * areas.c: kvmap areas SOURCE
 */
#include "commands/commands.h"
#include "commands/source.h"

#include <errno.h>
#include <stdlib.h>

static int show_areas(const struct source *source, struct report *report)
{
	uint32_t *findings = calloc(source->claims->areas.count + 1, sizeof(*findings));
	struct verify_input input = {
		.view = source->view,
		.mode = &source->mode,
		.claims = source->claims,
		.symbols = source->symbols,
		.area_findings = findings,
	};
	struct verdict verdict = { 0 };
	struct report_areas about = {
		.claims = source->claims,
		.view = source->view,
		.mode = &source->mode,
		.symbols = source->symbols,
		.verdict = &verdict,
		.findings = findings,
	};
	struct error error;
	int status;

	if (!findings)
		error_set(&error, ERROR_HOST, ENOMEM, 0, "the areas of the guest");
	if (!findings || verify(&input, &verdict, &error) < 0) {
		free(findings);
		return command_fail(&error, NULL);
	}
	report_areas(report, &about);
	status = command_finish(verdict.finding_count ? EXIT_FINDING : EXIT_VERIFIED);
	verdict_destroy(&verdict);
	free(findings);
	return status;
}

int command_areas(int argc, char **argv)
{
	struct source_options options;
	struct source source;
	struct report report;
	int status;

	if (source_parse(
		    argc, argv, "SOURCE",
		    "Prints the vmalloc areas as the guest of SOURCE, a core file or a script that is run first, "
		    "claims them, in the form of Linux's /proc/vmallocinfo; what its page tables say; and the "
		    "verdict on each. Exit status 1: there are findings.",
		    NULL, &options) < 0 ||
	    source_open(options.source, &options.common, &source) < 0)
		return EXIT_NOT_DONE;
	command_report(&report, options.common.json);
	status = source.claims ? show_areas(&source, &report) : command_fail(&source.no_claims, NULL);
	source_close(&source);
	return status;
}
