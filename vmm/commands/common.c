/* SPDX-License-Identifier: MIT */
#include "commands/commands.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int command_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	argp_err_exit_status = EXIT_NOT_DONE;
	return argp_parse(argp, argc, argv, 0, NULL, input) ? -1 : 0;
}

int command_fail(const struct error *error, const char *context)
{
	fflush(stdout);
	fprintf(stderr, "kvmap: %s\n", error->text);
	if (context && *context)
		fprintf(stderr, "%s\n", context);
	return EXIT_NOT_DONE;
}

int command_data_path(const char *name, char *out, size_t size, struct error *error)
{
	/* From the folder of the program: BUILD/vmm/kvmap, PREFIX/bin/kvmap. */
	static const char *const places[] = { "../", "../share/kvmap/" };
	char self[PATH_MAX], path[PATH_MAX], whole[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (length < 0)
		return error_set(error, ERROR_HOST, errno, 0,
				 "cannot read /proc/self/exe (is /proc mounted?)");
	self[length] = 0;
	slash = strrchr(self, '/');
	*slash = 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s%s", self, places[i], name) >= sizeof(path) ||
		    !realpath(path, whole))
			continue;
		if ((size_t)snprintf(out, size, "%s", whole) < size)
			return 0;
	}
	return error_set(error, ERROR_INPUT, 0, 0,
			 "%s is not beside the program in %s: build or install all of kvmap", name, self);
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

	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	error_set(&error, ERROR_HOST, errno, 0, "cannot write the report to standard output");
	return command_fail(&error, NULL);
}
