/* SPDX-License-Identifier: MIT */
#include "commands/commands.h"

#include "base/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int command_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	argp_err_exit_status = EXIT_NOT_DONE;
	return argp_parse(argp, argc, argv, 0, NULL, input) ? -1 : 0;
}

int command_fail(const struct error *error, const char *detail)
{
	fflush(stdout);
	fprintf(stderr, "kvmap: %s\n", error->text);
	if (detail && *detail)
		fprintf(stderr, "%s\n", detail);
	return EXIT_NOT_DONE;
}

void command_report(struct report *report, bool json)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	*report = (struct report){
		.stream = stdout,
		.format = json ? REPORT_JSON : REPORT_TEXT,
		.colour = !json && isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
			  !(term && !strcmp(term, "dumb")),
	};
}

int command_finish(int status)
{
	struct error error;

	/* The pipe has no reader any more: the process dies of the signal. */
	if ((fflush(stdout) == 0 && !ferror(stdout)) || signals_received() == SIGPIPE)
		return status;
	error_set(&error, ERROR_HOST, errno, 0, "cannot write the report to standard output");
	return command_fail(&error, NULL);
}
