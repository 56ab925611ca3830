/* SPDX-License-Identifier: MIT */
/*
 * verify.c: kvmap verify SOURCE
 */
#include "commands/commands.h"
#include "commands/source.h"

static int show_verdict(struct source *source, bool json)
{
	struct verdict verdict = { 0 };
	struct report report;
	struct error error;
	int status;

	if (source_verify(source, &verdict, NULL, &error) < 0)
		return command_fail(&error, NULL);
	source_resume(source);
	source_report(source, &report, json);
	report_verdict(&report, &verdict);
	status = source_finish(source, &report, verdict.finding_count ? EXIT_FINDING : EXIT_VERIFIED);
	verdict_destroy(&verdict);
	return status;
}

int command_verify(int argc, char **argv)
{
	struct source_options options;
	struct source source;
	struct report report;
	int status;

	if (source_parse(
		    argc, argv, "SOURCE",
		    "Verifies SOURCE, a core file, a VM that runs or a script that is run first, and prints the verdict.",
		    NULL, &options) < 0 ||
	    source_open(options.source, &options.common, &source) < 0)
		return EXIT_NOT_DONE;
	if (source.session) {
		command_report(&report, options.common.json);
		report_verdict(&report, &source.session->verdict);
		status = command_finish(session_status(source.session));
	} else {
		status = show_verdict(&source, options.common.json);
	}
	source_close(&source);
	return status;
}
