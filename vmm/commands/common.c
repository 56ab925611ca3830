/* SPDX-License-Identifier: MIT */
#include "commands/commands.h"

#include "base/escape.h"
#include "base/signals.h"
#include "commands/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Bounds of the width of reports. */
#define COLUMNS_LEAST 60
#define COLUMNS_MOST  200

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

int command_fail(const struct error *error, const char *detail)
{
	progress_end();
	fflush(stdout);
	fprintf(stderr, "kvmap: %s\n", error->text);
	if (detail && *detail) {
		command_write_escaped(stderr, detail, strlen(detail));
		fputc('\n', stderr);
	}
	return EXIT_NOT_DONE;
}

static unsigned int margin;

void command_set_margin(unsigned int columns)
{
	margin = columns;
}

unsigned int command_columns(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return 0;
	if (size.ws_col < COLUMNS_LEAST)
		return COLUMNS_LEAST - margin;
	return (size.ws_col > COLUMNS_MOST ? COLUMNS_MOST : size.ws_col) - margin;
}

/* Number of the next JSON line on standard output, of all commands of a shell. */
static uint64_t next_seq;

void command_report(struct report *report, bool json)
{
	unsigned int columns = command_columns();
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	progress_end();
	*report = (struct report){
		.stream = stdout,
		.format = json ? REPORT_JSON : REPORT_TEXT,
		.columns = columns,
		.colour = !json && isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
			  !(term && !strcmp(term, "dumb")),
		.seq = &next_seq,
	};
}

int command_finish(int status)
{
	struct error error;

	progress_end();
	/* The pipe has no reader any more: the process dies of the signal. */
	if ((fflush(stdout) == 0 && !ferror(stdout)) || signals_received() == SIGPIPE)
		return status;
	error_set(&error, ERROR_HOST, errno, 0, "cannot write the report to standard output");
	return command_fail(&error, NULL);
}
