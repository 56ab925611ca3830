/* SPDX-License-Identifier: MIT */
/*
 * verify.c: kvmap verify SOURCE
 */
#include "commands/commands.h"
#include "source/source.h"

static int show_verdict(struct source *source, void *context)
{
	const bool *json = context;
	struct verdict verdict = { 0 };
	struct report report;
	struct error error;
	int status;

	if (source->session) {
		source_report(source, &report, *json);
		report_verdict(&report, &source->session->verdict);
		return session_status(source->session);
	}
	if (source_verify(source, &verdict, NULL, &error) < 0)
		return source_fail(source, &error, NULL);
	status = source_judge(source, &verdict);
	if (status == EXIT_VERIFIED || status == EXIT_FINDING) {
		source_report(source, &report, *json);
		report_verdict(&report, &verdict);
	}
	verdict_destroy(&verdict);
	return status;
}

int command_verify(int argc, char **argv)
{
	struct source_options options;
	struct source source;
	int status;

	if (source_parse(
		    argc, argv, "SOURCE",
		    "Verifies SOURCE, a core file, a VM that runs or a script that is run first, and prints the verdict.",
		    NULL, &options) < 0 ||
	    source_open(options.source, &options.common, SOURCE_CLAIMS, &source) < 0)
		return EXIT_NOT_DONE;
	status = source_look(&source, 1, show_verdict, &options.common.json);
	source_close(&source);
	return status;
}
