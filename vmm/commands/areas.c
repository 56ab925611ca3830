/* SPDX-License-Identifier: MIT */
/*
 * areas.c: kvmap areas SOURCE
 */
#include "commands/inspection.h"
#include "report/areas.h"

#include <stdlib.h>

static int show_areas(struct inspection *inspection, struct source *source, void *context)
{
	struct verdict verdict = { 0 };
	struct report report;
	uint32_t *findings;
	struct error error;
	int status;

	(void)context;
	if (source_verify(source, &verdict, &findings, &error) < 0)
		return inspection_fail(inspection, &error, NULL);
	struct report_areas about = {
		.claims = source->claims,
		.view = source->view,
		.mode = &source->mode,
		.symbols = source->symbols,
		.verdict = &verdict,
		.findings = findings,
	};
	status = inspection_status(inspection, source, verdict.finding_count);
	if (status == EXIT_VERIFIED || status == EXIT_FINDING) {
		inspection_report(inspection, &report);
		report_areas(&report, &about);
	}
	verdict_destroy(&verdict);
	free(findings);
	return status;
}

static int run(int argc, char **argv)
{
	static const char doc[] =
		"Prints the vmalloc areas as the guest of SOURCE, a core file, a VM that runs or a script that is run first, "
		"claims them, in the form of Linux's /proc/vmallocinfo; what its page tables say; and the "
		"verdict on each. Exit status 1: there are findings.";
	struct source_options options = source_options_default(NULL);

	if (source_options_parse(argc, argv, "SOURCE", doc, true, &options) < 0)
		return EXIT_NOT_DONE;
	return inspection_run(&options, SOURCE_CLAIMS, show_areas, NULL);
}

const struct command areas_command = {
	"areas",
	"the vmalloc areas as the guest claims them beside the tables",
	run,
};
