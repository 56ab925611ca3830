/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* fopencookie */
#include "commands/commands.h"

#include "base/escape.h"
#include "base/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void command_write_escaped(FILE *stream, const char *text, size_t length)
{
	char line[1024];

	for (size_t at = 0, end; at < length; at = end) {
		/* Short enough that the escapes of all its bytes have room. */
		for (end = at; end < length && end - at < sizeof(line) / 4 - 1 && text[end] != '\n'; end++)
			;
		fputs(text_filter(text + at, end - at, line, sizeof(line)), stream);
		if (end < length && text[end] == '\n') {
			fputc('\n', stream);
			end++;
		}
	}
}

static ssize_t write_escaped(void *stream, const char *text, size_t length)
{
	command_write_escaped(stream, text, length);
	return (ssize_t)length;
}

int command_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	FILE *terminal = stderr,
	     *escaped = fopencookie(terminal, "w", (cookie_io_functions_t){ .write = write_escaped });
	int result;

	argp_err_exit_status = EXIT_NOT_DONE;
	/* argp prints arguments as they are. It takes the value of stderr at its start. */
	if (escaped) {
		setvbuf(escaped, NULL, _IOLBF, 0);
		stderr = escaped;
	}
	result = argp_parse(argp, argc, argv, 0, NULL, input);
	stderr = terminal;
	if (escaped)
		fclose(escaped);
	return result ? -1 : 0;
}

int command_fail(const struct error *error, const char *detail)
{
	fflush(stdout);
	fprintf(stderr, "kvmap: %s\n", error->text);
	if (detail && *detail) {
		command_write_escaped(stderr, detail, strlen(detail));
		fputc('\n', stderr);
	}
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
