/* SPDX-License-Identifier: MIT */
/*
 * commands.h: a subcommand, and what all of them share: exit status, errors, output.
 */
#ifndef VMM_COMMANDS_COMMANDS_H
#define VMM_COMMANDS_COMMANDS_H

#include "base/error.h"
#include "report/report.h"

#include <argp.h>
#include <stdbool.h>

enum exit_status {
	EXIT_VERIFIED = 0, /* all verified */
	EXIT_FINDING = 1,  /* at least one finding */
	EXIT_NOT_DONE = 2, /* bad input, no KVM, no permission, an operation refused */
};

/* A subcommand. */
struct command {
	const char *name;
	const char *summary;               /* one line of `kvmap --help` */
	int (*run)(int argc, char **argv); /* argv[0] is "kvmap NAME". Returns an exit status */
};

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);

/*
 * Parses argv with `argp`. 0, or -1 when the message is printed and the command must end with EXIT_NOT_DONE.
 * --help ends the process with status 0.
 */
int command_parse(const struct argp *argp, int argc, char **argv, void *input);

/* From now on errors in options and --help do not end the process: command_parse() then returns -1. */
void command_parse_in_shell(bool shell);

/* In a shell: whether the last command_parse(), which failed, printed help. */
bool command_helped(void);

/* Prints "kvmap: TEXT" on stderr, and the lines of `detail` below it (NULL or empty: none). Returns
 * EXIT_NOT_DONE. */
int command_fail(const struct error *error, const char *detail);

/* Prints lines with control characters and bytes that are no UTF-8 escaped. */
void command_write_escaped(FILE *stream, const char *text, size_t length);

#define HELP_COLUMNS 80 /* of help where stdout is no terminal */

/* Columns of the terminal that stdout is, 60 to 200, less the margin; 0: it is none. */
unsigned int command_columns(void);

/* The columns that are kept for marks at the start of each line; 0 at first. */
void command_set_margin(unsigned int columns);

/* A report to stdout: JSON or text, in colour if stdout is a terminal and NO_COLOR is not set. */
void command_report(struct report *report, bool json);

/* Flushes stdout. Returns `status`, or EXIT_NOT_DONE with a message if the output could not be written. */
int command_finish(int status);

#endif
