/* SPDX-License-Identifier: MIT */
/*
 * source.h: SOURCE of the inspecting commands: a core file, or a script, which is run and looked at when it
 * ends.
 */
#ifndef VMM_COMMANDS_SOURCE_H
#define VMM_COMMANDS_SOURCE_H

#include "commands/options.h"

struct source {
	struct session *session; /* of a script; NULL for a core */
	struct script *script;
	struct view *core;
	char *core_program;
	struct symbols *core_symbols;
	struct claims_layout *core_layout;
	struct claims core_claims;
	char program[4096];
	/* What the commands use; borrowed from the above. */
	const struct view *view;
	struct walk_mode mode;
	bool has_mode;           /* false: it has no page tables, and no_claims says why */
	struct claims *claims;   /* NULL: this guest makes no claims that kvmap can read */
	struct error no_claims;  /* then: why */
	struct symbols *symbols; /* NULL: none, and no_claims says why */
};

/* Opens it, or prints why not. 0, or -1 when the command must end with EXIT_NOT_DONE. */
int source_open(const char *name, const struct options *options, struct source *out);
void source_close(struct source *source);

/* For commands that can do without: one line on stderr if there are no symbols, and why. */
void source_warn(const struct source *source);

/* The arguments of commands that take SOURCE and one more argument at most (`extra_name`; NULL: none). */
struct source_options {
	struct options common;
	const char *source;
	const char *extra;
	const char *extra_name;
};

/*
 * A child parser for a command with options of its own: its input is a struct source_options, which
 * source_options_default() has filled. A command without calls source_parse().
 */
extern const struct argp source_argp;
void source_options_default(struct source_options *options, const char *extra_name);
int source_parse(int argc, char **argv, const char *arguments, const char *doc, const char *extra_name,
		 struct source_options *out);

#endif
