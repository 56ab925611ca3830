/* SPDX-License-Identifier: MIT */
/*
 * options.h: the options that `run` shares with every command that takes a SOURCE, since a script is one.
 */
#ifndef VMM_COMMANDS_OPTIONS_H
#define VMM_COMMANDS_OPTIONS_H

#include "session/session.h"

#include <argp.h>

struct options {
	bool json;
	const char *program; /* --guest, or NULL: the one that belongs to kvmap */
	const char *kvm_path;
	uint64_t memory;
	uint32_t cpus;
	uint32_t nodes;
	uint32_t policy;
	uint64_t seed;
	bool debug_slab;
	bool stage2; /* look at the second stage, too */
	bool stop;   /* a VM of another program stands still while it is looked at: an option of source.h */
	uint32_t fail_allocation;
	uint64_t timeout_ns;
};

/* A child parser for struct argp: its input is a struct options, which options_default() has filled. */
extern const struct argp options_argp;
void options_default(struct options *options);

/* An option's argument that is the number of a CPU, 0 to 63: 0, or an errno after the message. */
int options_cpu(struct argp_state *state, const char *text, unsigned int *out);

/* The argument is the command's one SCRIPT; a second one is an error. */
void options_script(struct argp_state *state, const char *argument, const char **script);

/* A session's configuration from the options; `program` must be resolved. */
struct session_config options_session(const struct options *options, const char *program,
				      const struct script *script);

/* options->program, or the guest that belongs to kvmap, into `out`. */
int options_program(const struct options *options, char *out, size_t size, struct error *error);

#endif
