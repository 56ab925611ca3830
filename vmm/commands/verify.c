/* SPDX-License-Identifier: MIT */
/*
 * verify.c: kvmap verify SOURCE
 */
#include "commands/commands.h"
#include "commands/source.h"

static int verify_core(const struct source *source, struct report *report)
{
	struct verify_input input = {
		.view = source->view,
		.mode = &source->mode,
		.claims = source->claims,
		.symbols = source->symbols,
	};
	struct verdict verdict = { 0 };
	struct error error;
	int status;

	if (!source->claims)
		return command_fail(&source->no_claims, NULL);
	if (verify(&input, &verdict, &error) < 0)
		return command_fail(&error, NULL);
	report_verdict(report, &verdict);
	status = command_finish(verdict.finding_count ? EXIT_FINDING : EXIT_VERIFIED);
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
		    "Verifies SOURCE, a core file or a script that is run first, and prints the verdict.",
		    NULL, &options) < 0 ||
	    source_open(options.source, &options.common, &source) < 0)
		return EXIT_NOT_DONE;
	command_report(&report, options.common.json);
	if (source.session) {
		report_verdict(&report, &source.session->verdict);
		status = command_finish(session_status(source.session));
	} else {
		status = verify_core(&source, &report);
	}
	source_close(&source);
	return status;
}
