/* SPDX-License-Identifier: MIT */
/*
 * source_options.h: the arguments and options of commands that take a SOURCE, and one argument more at most.
 */
#ifndef VMM_COMMANDS_SOURCE_OPTIONS_H
#define VMM_COMMANDS_SOURCE_OPTIONS_H

#include "commands/options.h"
#include "source/source.h"

/* Options of live VMs. */
struct vm_options {
	bool stop; /* --stop */
	bool wait; /* --wait */
};

/* A child parser for them. Its input is a struct vm_options. */
extern const struct argp vm_options_argp;

struct source_options {
	struct options common;
	const char *source;
	const char *extra;      /* the second argument; NULL: not given */
	const char *extra_name; /* its name in messages; NULL: the command takes none */
	bool extra_optional;
	struct vm_options vm;
	bool one_cpu; /* --cpu, of the commands that have it: */
	unsigned int cpu;
};

/* Defaults for a command whose second argument is `extra_name`. */
struct source_options source_options_default(const char *extra_name);

/* Parses the argument of --cpu. 0, or an errno when the message is printed. */
error_t source_options_cpu(struct argp_state *state, const char *text, struct source_options *options);

/*
 * Parses an ADDRESS. 0, or -1 with ERROR_INPUT: a number of digits alone is refused with both readings, anything else as
 * being no `what`.
 */
int source_options_address(const char *text, const char *what, uint64_t *out, struct error *error);

/* The same where a name is possible, too: the error has the nearest variable or symbol. claims and symbols may be NULL. */
int source_options_address_or_name(const char *text, const char *what, const struct claims *claims,
				   const struct symbols *symbols, uint64_t *out, struct error *error);

/* A child parser for a command with options of its own. Its input is a struct source_options. */
extern const struct argp source_options_argp;

/* Parses the arguments of a command without options of its own, but perhaps --stage2, as command_parse(). */
int source_options_parse(int argc, char **argv, const char *arguments, const char *doc, bool stage2,
			 struct source_options *out);

/* How the sources of the command are opened. */
struct source_config source_options_config(const struct source_options *options, enum source_claims claims);

#endif
