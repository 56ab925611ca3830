/* SPDX-License-Identifier: MIT */
/*
 * main.c: kvmap COMMAND: finds the command.
 */
#include "base/escape.h"
#include "base/signals.h"
#include "commands/commands.h"
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
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
	fprintf(stream,
		"Usage: kvmap COMMAND [OPTION...]\n\n"
		"Boots a tiny kernel on KVM, and proves from outside that every mapping, guard page and\n"
		"TLB flush of its vmalloc is right.\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(stream, "\nSee kvmap COMMAND --help, and `man kvmap-COMMAND`.\n"
			"Exit status: 0 all verified, 1 at least one finding, 2 it could not be done;\n"
			"128 + N in a shell: ended by signal N.\n");
}

/*
 * Opens descriptors 0 to 2 if they are closed. Otherwise a file that is opened later, such as the guest's
 * memory, would be standard output, and the report would overwrite it. For reading only, so that writing a
 * report fails.
 */
static void keep_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
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

int main(int argc, char **argv)
{
	char name[64];

	keep_standard_streams();
	signals_begin(end_shortened);
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_NOT_DONE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") || !strcmp(argv[1], "help")) {
		print_usage(stdout);
		return command_finish(0);
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("kvmap %s\n", KVMAP_VERSION);
		return command_finish(0);
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(argv[1], commands[i]->name))
			continue;
		snprintf(name, sizeof(name), "kvmap %s", commands[i]->name);
		argv[1] = name;
		return commands[i]->run(argc - 1, argv + 1);
	}
	fprintf(stderr, "kvmap: unknown command `%s`: `kvmap --help` lists the commands\n",
		text_escape(argv[1], strlen(argv[1]), name, sizeof(name)));
	return EXIT_NOT_DONE;
}
