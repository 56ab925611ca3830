/* SPDX-License-Identifier: MIT */
/*
 * verify.c: kvmap verify SOURCE
 */
#include "commands/inspection.h"
#include "report/verdict.h"

static int show_verdict(struct inspection *inspection, struct source *source, void *context)
{
	const struct source_options *options = context;
	struct verdict verdict = { 0 };
	struct report report;
	struct error error;
	int status;

	if (source->session) {
		inspection_report(inspection, &report);
		report_verdict(&report, &source->session->verdict, &(struct verdict_run){ 0 });
		return session_status(source->session);
	}
	if (source_verify(source, &verdict, NULL, &error) < 0)
		return inspection_fail(inspection, &error, NULL);
	if (!options->common.program)
		verdict.source = options->source;
	status = inspection_status(inspection, source, verdict.finding_count);
	if (inspection_is_reported(status)) {
		inspection_report(inspection, &report);
		report_verdict(&report, &verdict, &(struct verdict_run){ 0 });
	}
	verdict_destroy(&verdict);
	return status;
}

static int run(int argc, char **argv)
{
	static const char doc[] =
		"Verifies SOURCE, a core file, a VM that runs or a script that is run first, and prints the verdict.";
	struct source_options options = source_options_default(NULL);

	if (source_options_parse(argc, argv, "SOURCE", doc, true, &options) < 0)
		return EXIT_NOT_DONE;
	return inspection_run(&options, SOURCE_CLAIMS, show_verdict, &options);
}

const struct command verify_command = {
	"verify",
	"the verdict on a core file, or at the end of a script",
	run,
};
