/* SPDX-License-Identifier: MIT */
/*
 * source.h: SOURCE of the inspecting commands: a core file; a script, which is run and looked at when it
 * ends; a VM that another kvmap runs, by its process id or its control socket; a VM of any other program, by
 * its process id.
 *
 * A VM of kvmap stands still from source_open() on, until source_resume(), source_finish() or source_close():
 * what a command reads until then is of one moment, and it hurries. That of another program does so with
 * --stop; else it runs, and what is read of it is of the moments when it is read first.
 */
#ifndef VMM_COMMANDS_SOURCE_H
#define VMM_COMMANDS_SOURCE_H

#include "commands/options.h"
#include "commands/second_stage.h"
#include "view/attached.h"
#include "view/standstill.h"

struct source {
	struct session *session; /* of a script; else NULL */
	struct script *script;
	struct view *core;
	char *core_program;
	struct attached *attached;        /* a VM of another kvmap */
	struct view *foreign;             /* a VM of another program */
	struct standstill *standstill;    /* then: as long as it stands still */
	struct report_foreign look;       /* then: how it was looked at */
	int vm_fd;                        /* then: its descriptor of the VM; -1: it has but one */
	struct second_stage second_stage; /* with --stage2 */
	bool stage2;                      /* that was given */
	bool paused;
	bool areas_only;                       /* of the claims of a core or an attached VM */
	struct attached_pause_time pause_time; /* once it goes on */
	struct error resume_error;             /* it did not go on as it should have; "" if it did */
	/* Of a core or an attached VM. */
	struct symbols *own_symbols;
	struct claims_layout *own_layout;
	struct claims own_claims;
	char program[4096];
	FILE *text; /* of source_report() for an attached VM: written while it stands still, printed after
		       that */
	char *text_bytes;
	size_t text_size;
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
/* The same for a command that only labels addresses: the claims have areas, without their frames, and nothing
 * else. */
int source_open_areas(const char *name, const struct options *options, struct source *out);
void source_close(struct source *source);

/*
 * source_open() of a process of any program: vm_fd is its descriptor of the VM, -1: it has but one. The
 * caller tells the error.
 */
int source_open_foreign(pid_t pid, int vm_fd, const struct options *options, struct source *out,
			struct error *error);

/* Reads memory slots and registers of that VM into the source's view. -1: it cannot be seen. */
int source_foreign_view(struct source *source, bool stop, struct error *error);

/* Lets an attached VM go on: everything that is needed of it has been read. Else nothing to do. */
void source_resume(struct source *source);

/* The same for a command that goes on reading page tables: it sees those of now. Where that cannot be had,
 * the VM stays paused. */
void source_resume_with_tables(struct source *source);

/* Lets an attached VM go on, stops it once more and reads its claims of then. */
int source_look_again(struct source *source, struct error *error);

/*
 * Verifies. A VM that is stopped anywhere may be in the middle of an operation, when claims and tables
 * differ: one that runs is looked at again for up to two seconds, until everything agrees, since a damage
 * stays. *verdict is that of the last look, all zero before. area_findings_out: that of struct verify_input,
 * to be freed; may be NULL. The source has claims, or the error says why not.
 */
int source_verify(struct source *source, struct verdict *verdict, uint32_t **area_findings_out,
		  struct error *error);

/* As command_report() and command_finish(); what the report of another process's VM says comes out when the
 * VM goes on, with the time that it stood still: in JSON on the first line, else on stderr. */
void source_report(struct source *source, struct report *report, bool json);
int source_finish(struct source *source, struct report *report, int status);

/* Connects to the VM that `name` is: a process id or the path of a control socket. */
int source_attach(const char *name, struct attached **out, struct error *error);

/* The process whose VM it is; 0: a core. */
uint32_t source_pid(const struct source *source);

/* The second stage of now if --stage2 was given, or NULL, and the error says why not. */
const struct stage2 *source_second_stage(struct source *source, struct error *error);

/* For commands that can do without: one line on stderr if there are no symbols, and why. */
void source_warn(const struct source *source);

/* --stop, for commands that parse their options themselves; its key is SOURCE_OPTION_STOP. */
enum { SOURCE_OPTION_STOP = 640 };
#define SOURCE_STOP_OPTION                                                                                   \
	{                                                                                                    \
		"stop", SOURCE_OPTION_STOP, NULL, 0,                                                         \
			"stop a VM of another program while it is looked at (one of kvmap's own always is)", \
			0                                                                                    \
	}

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
