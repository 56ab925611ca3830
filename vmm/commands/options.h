/* SPDX-License-Identifier: MIT */
/*
 * options.h: the options of `run`, which every command that takes a SOURCE has too, since a script is a
 * SOURCE.
 */
#ifndef VMM_COMMANDS_OPTIONS_H
#define VMM_COMMANDS_OPTIONS_H

#include "session/session.h"

#include <argp.h>

struct options {
	bool json;
	bool verbose;        /* also says how a VM was read; of commands that take a SOURCE */
	const char *program; /* --guest; NULL: the guest that belongs to kvmap */
	/* The script that the arguments of -e make, each a line; NULL: none. Never freed. */
	const char *operations;
	/* All but program and script. */
	struct session_config session;
};

/* A child parser for struct argp. Its input is a struct options that options_default() has filled. */
extern const struct argp options_argp;
/* Parts of it, likewise: --verbose and --stage2, which options_argp does not have; what `compile` and `bench` know. */
extern const struct argp options_verbose_argp, options_stage2_argp, options_module_argp, options_bench_argp;
void options_default(struct options *options);

/* Parses the argument of --cpu: a CPU's number, 0 to 63. 0, or an errno when the message is printed. */
int options_cpu(struct argp_state *state, const char *text, unsigned int *out);

/* Parses a number from 1 to `most`. 0, or an errno when the message is printed. */
int options_count(struct argp_state *state, const char *option, const char *text, uint32_t most,
		  uint32_t *out);

/* The argument of an option that names a file; an empty one is an error. Returns it. */
const char *options_path(struct argp_state *state, const char *option, const char *path);

/* The script of -e, else of the file; as script_load(). */
int options_load(const struct options *options, const char *path, struct script **out, char *context_out,
		 size_t context_size, struct error *error);

/* Takes the argument as the command's SCRIPT. A second SCRIPT is an error. */
void options_script(struct argp_state *state, const char *argument, const struct options *options,
		    const char **script);

#endif
