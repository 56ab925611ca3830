/* SPDX-License-Identifier: MIT */
/*
 * source.h: SOURCE of the inspecting commands: a core file; a script, which is run and looked at when it
 * ends; a VM that another kvmap runs, by its process id or its control socket; a VM of any other program, by
 * its process id.
 *
 * A VM of kvmap stands still only while pages are copied. That of another program runs on, and what is read
 * of it is of the moments when it is read first; with --stop it stands still from source_open() on. So what a
 * command does with its sources is a function that source_look() calls, and calls again until all that it has
 * read is of one moment; what it prints comes out once.
 */
#ifndef VMM_SOURCE_SOURCE_H
#define VMM_SOURCE_SOURCE_H

#include "commands/options.h"
#include "stage2/on_demand.h"
#include "control/client.h"
#include "view/ptrace_stop.h"

/* What a command reads of the claims of all but a script. */
enum source_claims {
	SOURCE_NO_CLAIMS,
	SOURCE_AREAS, /* only areas, without their frames: what names addresses */
	SOURCE_CLAIMS,
};

/* A VM of another kvmap, and what was done to it. */
struct source_vm {
	struct control_client *client; /* NULL: the source is something else */
	bool paused;
	struct report_pause pause;
};

struct source {
	struct session *session; /* of a script; else NULL */
	struct script *script;
	struct view *core;
	char *core_program;
	struct source_vm vm;
	struct view *process;                   /* a VM of another program */
	struct ptrace_stop *ptrace_stop;        /* then: as long as it stands still */
	struct report_foreign look;             /* then: how it was looked at */
	int vm_fd;                              /* then: its descriptor of the VM; -1: it has but one */
	struct stage2_on_demand stage2_reading; /* with --stage2 */
	bool stage2;                            /* that was given */
	const struct stage2 *stage2_seen; /* of an attached VM, of this moment; NULL: no_stage2 says why */
	struct error no_stage2;
	enum source_claims wanted;
	/* Of all but a script. */
	struct symbols *own_symbols;
	struct claims_layout *own_layout;
	struct claims own_claims;
	struct error no_program; /* why there are no names and no layout, if there are none */
	char program[4096];
	struct look *looking; /* in source_look() */
	/* What the commands use; borrowed from the above. An attached VM has them in source_look() only. */
	const struct view *view;
	struct walk_mode mode;
	bool has_mode;         /* false: it has no page tables, and no_claims says why */
	struct claims *claims; /* NULL: this guest makes no claims that kvmap can read, or none were wanted */
	struct error no_claims;  /* then: why */
	struct symbols *symbols; /* NULL: none, and no_claims says why */
};

/* Opens it, or prints why not. 0, or -1 when the command must end with EXIT_NOT_DONE. */
int source_open(const char *name, const struct options *options, enum source_claims wanted,
		struct source *out);
void source_close(struct source *source);

/*
 * source_open() of a process of any program: vm_fd is its descriptor of the VM, -1: it has but one. The
 * caller tells the error.
 */
int source_open_foreign(pid_t pid, int vm_fd, const struct options *options, enum source_claims wanted,
			struct source *out, struct error *error);

/* Reads memory slots and registers of that VM into the source's view. -1: it cannot be seen. */
int source_foreign_view(struct source *source, bool stop, struct error *error);

/*
 * What a command does with its sources: reads them, reports, and returns its exit status. It may be called
 * several times, and must leave nothing behind but what source_report(), source_fail() and source_warn()
 * take.
 */
typedef int source_body(struct source *sources, void *context);

/* Returned by a body that wants to be called again, with the VMs as they are a little later. */
#define SOURCE_AGAIN (-1)

/* Calls the body for `count` sources, one or two; its exit status, or that of what could not be done, when
 * all is printed. Attached VMs run when it returns; the report begins with how long they stood still, in JSON
 * on the first lines, else on stderr. */
int source_look(struct source *sources, size_t count, source_body *body, void *context);

/* What is read now is of one moment: the body is called no more. Before that, what costs much or leaves
 * something behind can be left undone: what the body returns is not looked at. */
bool source_is_whole(const struct source *source);

/* It runs, and was looked at for less than two seconds: a body may want to look again. */
bool source_may_change(const struct source *source);

/* How often the body was called for another look that SOURCE_AGAIN wanted. */
unsigned int source_looks(const struct source *source);

/* In a body. Where the report goes; as command_fail(), for what comes out at last; and one line on stderr if
 * there are no symbols, and why, for commands that can do without. */
void source_report(struct source *source, struct report *report, bool json);
int source_fail(struct source *source, const struct error *error, const char *context);
void source_warn(struct source *source);

/*
 * In a body. Verifies. area_findings_out: that of struct verify_input, to be freed; may be NULL. The source
 * has claims, or the error says why not.
 */
int source_verify(struct source *source, struct verdict *verdict, uint32_t **area_findings_out,
		  struct error *error);

/*
 * In a body: what it is to return for that verdict. A VM that is stopped anywhere may be in the middle of an
 * operation, when claims and tables differ; the guest says so. What does not agree then is no finding:
 * another look is asked for, and after two seconds of that it is said that nothing could be judged. Only
 * EXIT_VERIFIED and EXIT_FINDING are worth a report.
 */
int source_judge(struct source *source, const struct verdict *verdict);

/* Connects to the VM that `name` is: a process id or the path of a control socket. */
int source_attach(const char *name, struct control_client **out, struct error *error);

/* The process whose VM it is; 0: a core. */
uint32_t source_pid(const struct source *source);

/* The second stage of now if --stage2 was given, or NULL, and the error says why not. */
const struct stage2 *source_stage2(struct source *source, struct error *error);

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
