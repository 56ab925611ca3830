/* SPDX-License-Identifier: MIT */
/*
 * commands.h: the subcommands, and what all of them share: exit status, errors, where the program's files
 * are.
 */
#ifndef VMM_COMMANDS_COMMANDS_H
#define VMM_COMMANDS_COMMANDS_H

#include "base/error.h"
#include "report/report.h"

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

enum exit_status {
	EXIT_VERIFIED = 0, /* all verified */
	EXIT_FINDING = 1,  /* at least one finding */
	EXIT_NOT_DONE = 2, /* bad input, no KVM, no permission, an operation refused */
};

struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0] is "kvmap NAME"; returns an exit status */
};

int command_run(int argc, char **argv);
int command_map(int argc, char **argv);
int command_dump(int argc, char **argv);
int command_walk(int argc, char **argv);
int command_areas(int argc, char **argv);
int command_frames(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_backtrace(int argc, char **argv);
int command_stage2(int argc, char **argv);
int command_print(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_proc(int argc, char **argv);
int command_ps(int argc, char **argv);
int command_resume(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_compile(int argc, char **argv);

/* Parses argv with `argp`. 0, or -1 when the message is printed and the command must end with EXIT_NOT_DONE;
 * --help ends the process with 0. */
int command_parse(const struct argp *argp, int argc, char **argv, void *input);

/* Prints "kvmap: TEXT" and, if not empty, the lines of `context` below it. Returns EXIT_NOT_DONE. */
int command_fail(const struct error *error, const char *context);

/*
 * The path of a file that belongs to kvmap ("guest/kvmap-guest.elf"), looked for beside the program: in the
 * build folder, then where it was installed. ERROR_INPUT if it is in neither.
 */
int command_data_path(const char *name, char *out, size_t size, struct error *error);

/* A report on stdout: JSON or text, in colour if stdout is a terminal and NO_COLOR is not set. */
void command_report(struct report *report, bool json);

/* Flushes stdout; the status given, or EXIT_NOT_DONE with a message if what was printed could not be written.
 */
int command_finish(int status);

#endif
