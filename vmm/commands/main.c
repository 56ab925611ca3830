/* SPDX-License-Identifier: MIT */
/*
 * main.c: kvmap COMMAND: finds the command.
 */
#include "base/escape.h"
#include "base/lazy_library.h"
#include "base/signals.h"
#include "base/spelling.h"
#include "commands/commands.h"
#include "config.h"
#include "report/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* COMMANDS(X) is X(run) X(map) ...: the list of meson.build. */
#define DECLARE(name) extern const struct command name##_command;
COMMANDS(DECLARE)

#define ROW(name) &name##_command,
static const struct command *const commands[] = { COMMANDS(ROW) };

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *stream)
{
	unsigned int columns = command_columns();
	struct report report = { .stream = stream, .columns = columns ? columns : HELP_COLUMNS };

	text_line(&report, PAINT_PLAIN, 0, 0, "Usage: kvmap COMMAND [OPTION...]");
	fputc('\n', stream);
	text_line(
		&report, PAINT_PLAIN, 0, 0,
		"Boots a tiny kernel on KVM, and proves from outside that every mapping, guard page and TLB flush of "
		"its vmalloc is right.");
	fputc('\n', stream);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		text_line(&report, PAINT_PLAIN, 2, 12, "%-9s %s", commands[i]->name, commands[i]->summary);
	fputc('\n', stream);
	text_line(
		&report, PAINT_PLAIN, 0, 0,
		"See kvmap help COMMAND, and `man kvmap-COMMAND`. Exit status: 0 all verified, 1 at least one finding, "
		"2 it could not be done; 128 + N in a shell: ended by signal N.");
}

/*
 * Opens descriptors 0 to 2 if they are closed. Otherwise a file that is opened later, such as the guest's
 * memory, would be standard output, and the report would overwrite it. Standard input for writing only, the others for
 * reading only, so that reading a script and writing a report fail.
 */
static void keep_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return;
}

/* A mapped file became shorter. In a signal handler: write() alone. */
static void end_shortened(const char *name)
{
	static const char before[] = "kvmap: ", after[] = ": became shorter while it was read\n";

	if (write(STDERR_FILENO, before, sizeof(before) - 1) < 0 ||
	    write(STDERR_FILENO, name, strlen(name)) < 0 ||
	    write(STDERR_FILENO, after, sizeof(after) - 1) < 0)
		_exit(EXIT_NOT_DONE);
	_exit(EXIT_NOT_DONE);
}

/* A library that is needed now is not installed. */
static void end_without_library(const char *text)
{
	fflush(stdout);
	fprintf(stderr, "kvmap: %s\n", text);
	exit(EXIT_NOT_DONE);
}

/* The command of that name, or NULL. */
const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i];
	return NULL;
}

static int unknown_command(const char *given)
{
	static const char *const others[] = { "help", "--help", "--version" };
	size_t least = spelling_tolerance(strlen(given)) + 1;
	const char *nearest = NULL;
	char escaped[64];

	for (size_t i = 0; i < COMMAND_COUNT + sizeof(others) / sizeof(others[0]); i++) {
		const char *name = i < COMMAND_COUNT ? commands[i]->name : others[i - COMMAND_COUNT];
		size_t distance = spelling_distance(given, strlen(given), name);

		if (distance < least && distance < strlen(given)) {
			least = distance;
			nearest = name;
		}
	}
	text_escape(given, strlen(given), escaped, sizeof(escaped));
	if (nearest)
		fprintf(stderr,
			"kvmap: unknown command `%s`; did you mean `%s`? `kvmap --help` lists the commands\n",
			escaped, nearest);
	else
		fprintf(stderr, "kvmap: unknown command `%s`: `kvmap --help` lists the commands\n", escaped);
	return EXIT_NOT_DONE;
}

static int run_command_line(int argc, char **argv)
{
	const struct command *command = command_find(argv[0]);
	char name[64];
	int status;

	if (!command)
		return unknown_command(argv[0]);
	snprintf(name, sizeof(name), "kvmap %s", command->name);
	argv[0] = name;
	status = command->run(argc, argv);
	signals_die();
	return status;
}

static int surplus_argument(const char *given)
{
	char escaped[128];

	fprintf(stderr, "kvmap: `%s` is one argument too many: `kvmap help COMMAND`\n",
		text_escape(given, strlen(given), escaped, sizeof(escaped)));
	return EXIT_NOT_DONE;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "-?") || !strcmp(word, "help");
}

int main(int argc, char **argv)
{
	keep_standard_streams();
	signals_begin(end_shortened);
	lazy_library_begin(end_without_library);
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_NOT_DONE;
	}
	if (!strcmp(argv[1], "help") && argc > 2 && !is_help(argv[2])) {
		char help[] = "--help";
		char *arguments[] = { argv[2], help, NULL };

		if (argc > 3 && command_find(argv[2]))
			return surplus_argument(argv[3]);
		return run_command_line(2, arguments);
	}
	if (is_help(argv[1])) {
		print_usage(stdout);
		return command_finish(0);
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("kvmap %s\n", KVMAP_VERSION);
		return command_finish(0);
	}
	return run_command_line(argc - 1, argv + 1);
}
