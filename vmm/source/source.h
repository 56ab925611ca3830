/* SPDX-License-Identifier: MIT */
/*
 * source.h: SOURCE of the inspecting commands: a core file; a script, which is run to its end first; a VM of
 * another kvmap, by its process id or its control socket; a VM of any other program, by its process id.
 *
 * A VM of another kvmap is paused only while pages are copied. A VM of another program keeps running, and
 * each of its pages shows the moment when it is first read; with --stop its process is stopped from
 * source_open() on. source_snapshot() makes what a command reads a picture of one moment.
 */
#ifndef VMM_SOURCE_SOURCE_H
#define VMM_SOURCE_SOURCE_H

#include "control/client.h"
#include "report/pause.h"
#include "session/session.h"
#include "view/ptrace_stop.h"

/* How much of the claims to read. A script's claims are always read in full. */
enum source_claims {
	SOURCE_NO_CLAIMS,
	SOURCE_AREAS, /* areas without their frames: enough to name addresses */
	SOURCE_CLAIMS,
};

/* How to open sources. Strings are borrowed until source_close(). */
struct source_config {
	enum source_claims claims;
	const char *operations; /* -e: a script's text, which is the source; NULL: none */
	const char *program;    /* --guest; NULL: the one that the source names, or kvmap's own */
	bool stop;              /* stop the process of another program's VM */
	bool wait;              /* wait for a VM of kvmap that is starting */
	bool one_cpu;           /* the tables of CPU `cpu`; else of the first CPU with paging */
	unsigned int cpu;
	struct session_config
		session; /* of a script, without program and script; stage2 applies to every VM */
};

/* A VM of another kvmap. */
struct source_vm {
	struct control_client *client; /* NULL: the source is something else */
	bool paused;
	struct report_pause pause;
};

/* A VM of another program. */
struct source_process {
	struct view *view;             /* NULL: the source is something else */
	struct ptrace_stop *stop;      /* while its threads are stopped (--stop), else NULL */
	int vm_fd;                     /* its descriptor of the VM; -1: it has one VM only */
	struct report_process summary; /* how it was read */
};

struct snapshot;

struct source {
	bool borrowed;           /* it owns its claims only */
	struct session *session; /* of a script; else NULL */
	struct script *script;
	struct view *core;
	char *core_program;
	struct source_vm vm;
	struct source_process process;
	/* The second stage, if config.session.stage2. */
	bool stage2;
	struct stage2_on_demand stage2_reading;
	const struct stage2 *stage2_paused; /* as of the last pause of a VM; NULL: no_stage2 says why */
	struct error no_stage2;
	/* For every kind of source but a script. */
	enum source_claims wanted;
	struct symbols *own_symbols;
	struct claims_layout *own_layout;
	struct claims own_claims;
	struct error no_program; /* why there are no names and no layout, if there are none */
	char program[4096];
	struct snapshot *snapshot; /* during source_snapshot() */
	/* For the commands. Borrowed from the members above. For a VM of another kvmap they are set only
	 * during source_snapshot(). */
	const struct view *view;
	struct walk_mode mode;
	bool one_cpu;          /* of the configuration */
	unsigned int cpu;      /* whose mode it is */
	bool has_mode;         /* false: the source has no page tables, and no_claims says why */
	struct claims *claims; /* NULL: not wanted, or no_claims says why they cannot be read */
	struct error no_claims;
	struct symbols *symbols; /* NULL: none, and no_claims says why */
};

/*
 * Opens the source that `name` is. -1: `error` says why not, and `detail` gets lines to print below it, "" if
 * there are none (as context_out of script_load()). To be freed with source_close().
 */
int source_open(const char *name, const struct source_config *config, struct source *out, char *detail,
		size_t detail_size, struct error *error);

/* Opens the VM of a process of any program; vm_fd is its descriptor of the VM, -1 if it has one VM only. */
int source_open_process(pid_t pid, int vm_fd, const struct source_config *config, struct source *out,
			struct error *error);

void source_close(struct source *source);

/*
 * The stopped guest of a session, or a copy of it, as a source. Its parts are borrowed until source_close().
 */
void source_of_session(struct session *session, const struct source_config *config, struct source *out);
void source_of_copy(const struct view *copy, const struct session *session,
		    const struct source_config *config, struct source *out);

/*
 * Waits until the name, a process id or a path, is the one of a VM, its process has ended, or a minute has
 * passed.
 */
void source_wait_for_socket(const char *name);

/* Connects to the VM of a kvmap that `name` is: a process id or the path of a control socket. */
int source_connect(const char *name, struct control_client **out, struct error *error);

/* The process that has the VM; 0 for a core. */
uint32_t source_pid(const struct source *source);

/* The second stage as it is now. NULL: not wanted, or not readable; the error says why. */
const struct stage2 *source_stage2(struct source *source, struct error *error);

#endif
