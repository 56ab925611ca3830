/* SPDX-License-Identifier: MIT */
/*
 * lab.c: kvmap lab [NAME [ANSWER]]
 */
#include "base/data_path.h"
#include "commands/commands.h"
#include "lab/lab.h"
#include "lab/lesson.h"
#include "report/json.h"
#include "report/text.h"
#include "session/session.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_S       600
#define NAME_MAX_LENGTH 40
#define ANSWER_MAX      (1u << 20)

struct lab_options {
	bool json, exercise;
	const char *name, *answer, *guest;
	unsigned int timeout_s;
};

enum { OPTION_JSON = 256, OPTION_EXERCISE, OPTION_GUEST, OPTION_TIMEOUT };

static const struct argp_option argp_options[] = {
	{ "json", OPTION_JSON, NULL, 0, "print JSON lines instead of text", 0 },
	{ "exercise", OPTION_EXERCISE, NULL, 0, "print the lab's exercise, or check ANSWER, a script", 0 },
	{ "guest", OPTION_GUEST, "FILE", 0, "the guest kernel (default: the one built with kvmap)", 0 },
	{ "timeout", OPTION_TIMEOUT, "SECONDS", 0, "stop a guest that runs longer (default 600)", 0 },
	{ 0 },
};

static error_t parse_timeout(struct argp_state *state, const char *text, unsigned int *out)
{
	char *end;
	unsigned long seconds = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || seconds < 1 || seconds > 1000000) {
		argp_error(state, "--timeout `%s` is not a number of seconds from 1 to 1000000", text);
		return EINVAL;
	}
	*out = (unsigned int)seconds;
	return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct lab_options *options = state->input;

	switch (key) {
	case OPTION_JSON: options->json = true; return 0;
	case OPTION_EXERCISE: options->exercise = true; return 0;
	case OPTION_GUEST: options->guest = argument; return 0;
	case OPTION_TIMEOUT: return parse_timeout(state, argument, &options->timeout_s);
	case ARGP_KEY_ARG:
		if (!options->name)
			options->name = argument;
		else if (!options->answer)
			options->answer = argument;
		else
			argp_error(state, "`%s` is one argument too many", argument);
		return 0;
	case ARGP_KEY_END:
		if (options->answer && !options->exercise)
			argp_error(state, "an ANSWER needs --exercise");
		if (options->exercise && !options->name)
			argp_error(state, "--exercise needs the NAME of a lab");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "[NAME [ANSWER]]",
	.doc = "Runs the lab NAME: shows a claim about vmalloc and kmalloc, runs its scripts, and checks what the host saw. Each "
	       "control is a run in which the claim is false: a check must fail there. Without NAME: lists the labs."
	       "\vExit status: 0 if all checks are true and each control fails its check, 1 if not, 2 if something was not seen "
	       "or could not be run.",
};

/* The text of the file docs/labs/NAME.md, malloc'ed, or of another file; NULL with *error. */
static char *file_text(const char *path, struct error *error)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *text = malloc(ANSWER_MAX + 1);
	size_t length = file && text ? fread(text, 1, ANSWER_MAX, file) : 0;
	bool whole = file && text && !ferror(file) && length < ANSWER_MAX;

	if (!whole)
		error_set(error, ERROR_INPUT, file && length == ANSWER_MAX ? 0 : errno, 0,
			  "%s: cannot be read, or has a megabyte or more", path);
	if (file && file != stdin)
		fclose(file);
	if (whole) {
		text[length] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

static bool name_is_sound(const char *name)
{
	return strlen(name) < NAME_MAX_LENGTH &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name) && *name;
}

static int load(const char *name, struct lab *lab, struct error *error)
{
	char path[PATH_MAX], file[NAME_MAX_LENGTH + 24];

	snprintf(file, sizeof(file), "docs/labs/%.*s.md", NAME_MAX_LENGTH, name);
	if (!name_is_sound(name) || data_path_find(file, path, sizeof(path), error) < 0)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "there is no such lab: `kvmap lab` without a NAME lists all of them");
	return lab_load(path, lab, error);
}

static int list_lab(struct report *report, const char *name, struct error *error)
{
	struct lab lab;

	if (load(name, &lab, error) < 0)
		return -1;
	if (report->format == REPORT_JSON) {
		struct json_object *line = json_start(report, "lab");

		json_add_string(line, "name", name);
		json_add_string(line, "title", lab.title);
		json_add_string(line, "claim", lab.claim);
		json_add_string(line, "found", lab.found);
		json_finish(report, line);
	} else {
		text_line(report, PAINT_PLAIN, 0, 16, "%-15s %s", name, lab.title);
	}
	lab_destroy(&lab);
	return 0;
}

/* The labs are those that README.md links to, in its order. */
static int list(struct report *report, struct error *error)
{
	char path[PATH_MAX], *text;
	int result = 0;

	if (data_path_find("docs/labs/README.md", path, sizeof(path), error) < 0)
		return -1;
	text = file_text(path, error);
	if (!text)
		return -1;
	for (char *at = text; result == 0 && (at = strstr(at, "]("));) {
		char *end = at + 2 + strcspn(at + 2, ")\n");
		char *name = at + 2;

		at = end;
		if (end - name < 4 || strncmp(end - 3, ".md", 3) != 0)
			continue;
		end[-3] = '\0';
		if (name_is_sound(name))
			result = list_lab(report, name, error);
	}
	free(text);
	return result;
}

static int run_lab(struct report *report, const struct lab_options *options, struct error *error)
{
	struct lab_config config = { .guest = options->guest, .timeout_s = options->timeout_s };
	char program[PATH_MAX], *answer = NULL;
	struct lab lab;
	int status;

	if (load(options->name, &lab, error) < 0)
		return -1;
	if (session_program(options->guest, false, program, sizeof(program), error) < 0) {
		lab_destroy(&lab);
		return -1;
	}
	config.program = program;
	if (options->answer)
		answer = file_text(options->answer, error);
	if (options->answer && !answer)
		status = -1;
	else if (options->exercise)
		status = lesson_exercise(report, options->name, &lab, &config, answer, error);
	else
		status = lesson_run(report, options->name, &lab, &config, error);
	free(answer);
	lab_destroy(&lab);
	return status;
}

static int run(int argc, char **argv)
{
	struct lab_options options = { .timeout_s = TIMEOUT_S };
	struct report report;
	struct error error;
	int status;

	if (command_parse(&argp, argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	command_report(&report, options.json);
	status = options.name ? run_lab(&report, &options, &error) : list(&report, &error);
	if (status < 0)
		return command_fail(&error, NULL);
	return command_finish(status);
}

const struct command lab_command = {
	"lab",
	"labs: claims about vmalloc and kmalloc, checked by the host",
	run,
};
