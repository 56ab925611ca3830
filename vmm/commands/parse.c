/* SPDX-License-Identifier: MIT */
/*
 * parse.c: the options of a command: argp, with suggestions for mistyped words and its errors escaped.
 */
#define _GNU_SOURCE /* fopencookie */
#include "base/escape.h"
#include "base/spelling.h"
#include "commands/commands.h"
#include "commands/progress.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELP_INDENT 29 /* where argp begins to describe options */

/* The options that a word which begins with "--" may mean. */
struct option_search {
	const char *word;
	size_t length;
	const struct argp_option *exact, *prefix;
	const char *nearest;
	size_t distance;
};

static void consider(struct option_search *search, const char *name, const struct argp_option *option)
{
	size_t distance;

	if (!strncmp(name, search->word, search->length)) {
		search->prefix = option;
		if (!name[search->length])
			search->exact = option;
	}
	distance = spelling_distance(search->word, search->length, name);
	if (distance < search->distance) {
		search->distance = distance;
		search->nearest = name;
	}
}

static void search_options(const struct argp *argp, struct option_search *search)
{
	for (const struct argp_option *option = argp->options;
	     option && (option->name || option->key || option->doc); option++)
		if (option->name)
			consider(search, option->name, option);
	for (const struct argp_child *child = argp->children; child && child->argp; child++)
		search_options(child->argp, search);
}

/* Whether the short option takes an argument. */
static bool takes_argument(const struct argp *argp, int key)
{
	for (const struct argp_option *option = argp->options;
	     option && (option->name || option->key || option->doc); option++)
		if (option->key == key && option->arg)
			return true;
	for (const struct argp_child *child = argp->children; child && child->argp; child++)
		if (takes_argument(child->argp, key))
			return true;
	return false;
}

/* Prints an error for the first long option that there is not, with a suggestion. -1 if it did. */
static int check_spelling(const struct argp *argp, int argc, char **argv)
{
	static const struct argp_option own[] = { { "help", 0, 0, 0, 0, 0 },
						  { "usage", 0, 0, 0, 0, 0 },
						  { 0 } };
	struct error error;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		struct option_search search = { .word = argv[i] + 2, .distance = SIZE_MAX };
		char escaped[80];
		bool near;

		if (argv[i][0] == '-' && argv[i][1] && argv[i][1] != '-' && !argv[i][2]) {
			/* Its argument may be the next word, which is no option then. */
			i += takes_argument(argp, argv[i][1]);
			continue;
		}
		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		search.length = strcspn(search.word, "=");
		search_options(argp, &search);
		for (size_t j = 0; own[j].name; j++)
			consider(&search, own[j].name, &own[j]);
		if (search.exact || search.prefix) {
			const struct argp_option *found = search.exact ? search.exact : search.prefix;

			i += found->arg && !search.word[search.length];
			continue;
		}
		near = search.distance <= spelling_tolerance(search.length);
		error_set(&error, ERROR_INPUT, 0, 0,
			  "unrecognized option `--%s`%s%s%s `%s --help` lists them",
			  text_escape(search.word, search.length, escaped, sizeof(escaped)),
			  near ? "; did you mean `--" : ":", near ? search.nearest : "", near ? "`?" : "",
			  argv[0]);
		return command_fail(&error, NULL), -1;
	}
	return 0;
}

/* Prints a line of argp's help. Where a word ends at the margin argp indents the next line twice, or writes blanks alone. */
static void print_help_line(const char *line, size_t length)
{
	size_t blanks = strspn(line, " ");

	if (blanks && blanks >= length)
		return;
	if (blanks > HELP_INDENT) {
		line += blanks - HELP_INDENT;
		length -= blanks - HELP_INDENT;
	}
	printf("%.*s\n", (int)length, line);
}

static bool in_shell, helped;

void command_parse_in_shell(bool shell)
{
	in_shell = shell;
}

bool command_helped(void)
{
	return helped;
}

/*
 * Prints help as wide as the terminal, without argp's remark about arguments of short options, and ends the process,
 * unless it is a shell.
 * Settings of the user for argp (ARGP_HELP_FMT) stay.
 */
static void print_help(const struct argp_state *state, unsigned int flags)
{
	unsigned int columns = command_columns();
	char format[80], *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	snprintf(format, sizeof(format), "no-dup-args-note,rmargin=%u",
		 columns ? columns - 1 : HELP_COLUMNS - 1);
	setenv("ARGP_HELP_FMT", format, 0);
	argp_state_help(state, stream, flags);
	if (stream && fclose(stream) == 0)
		for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
			print_help_line(at, strcspn(at, "\n"));
	free(text);
	if (!in_shell)
		exit(command_finish(0));
	helped = true;
}

enum { OPTION_USAGE = 0x4000 };

static error_t parse_help(int key, char *argument, struct argp_state *state)
{
	(void)argument;
	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = state->input; return 0;
	case 'h':
	case '?':
		print_help(state, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC);
		return ECANCELED; /* in a shell, what else the line has or lacks does not count */
	case OPTION_USAGE: print_help(state, ARGP_HELP_USAGE); return ECANCELED;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* Where argp prints. */
struct printing {
	FILE *to;
	bool escaped;
	bool used; /* it has printed something */
};

/* argp ends each error with a line "Try `...' for more information". An error here is one line. */
static ssize_t write_printing(void *context, const char *text, size_t length)
{
	static const char remark[] = "Try `";
	struct printing *printing = context;

	printing->used |= length;
	if (!printing->escaped)
		fwrite(text, 1, length, printing->to);
	else if (length < sizeof(remark) || memcmp(text, remark, sizeof(remark) - 1) != 0)
		command_write_escaped(printing->to, text, length);
	return (ssize_t)length;
}

/* Replaces the stream for the time of argp_parse(). NULL: it cannot be. */
static FILE *printing_begin(FILE **stream, struct printing *printing)
{
	FILE *replacement = fopencookie(printing, "w", (cookie_io_functions_t){ .write = write_printing });

	printing->to = *stream;
	if (replacement) {
		setvbuf(replacement, NULL, _IOLBF, 0);
		*stream = replacement;
	}
	return replacement;
}

static void printing_end(FILE **stream, struct printing *printing, FILE *replacement)
{
	*stream = printing->to;
	if (replacement)
		fclose(replacement);
}

int command_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	/* argp's own, with -h and a margin. */
	static const struct argp_option help[] = { { "help", '?', NULL, 0, "print this help", -1 },
						   { NULL, 'h', NULL, OPTION_ALIAS, NULL, 0 },
						   { "usage", OPTION_USAGE, NULL, 0, "print a short usage",
						     0 },
						   { 0 } };
	struct argp command = *argp;
	const struct argp_child children[] = { { &command, 0, NULL, 0 }, { 0 } };
	const struct argp whole = {
		.options = help,
		.parser = parse_help,
		.args_doc = argp->args_doc,
		.doc = argp->doc,
		.children = children,
	};
	struct printing output = { 0 }, errors = { .escaped = true };
	FILE *output_stream = NULL, *errors_stream;
	int result;

	command.args_doc = command.doc = NULL;
	helped = false;
	argp_err_exit_status = EXIT_NOT_DONE;
	if (check_spelling(argp, argc, argv) < 0)
		return -1;
	/* argp prints arguments as they are. It takes the values of stderr and stdout at its start. */
	errors_stream = printing_begin(&stderr, &errors);
	if (in_shell)
		output_stream = printing_begin(&stdout, &output);
	result = argp_parse(&whole, argc, argv, ARGP_NO_HELP | (in_shell ? ARGP_NO_EXIT : 0), NULL, input);
	if (in_shell)
		printing_end(&stdout, &output, output_stream);
	printing_end(&stderr, &errors, errors_stream);
	/* Without its exit, argp goes on after an error, and after help. */
	if (result || (in_shell && (output.used || errors.used)))
		return -1;
	if (!in_shell)
		progress_begin();
	return 0;
}
