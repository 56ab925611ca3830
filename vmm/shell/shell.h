/* SPDX-License-Identifier: MIT */
/*
 * shell.h: reads lines and runs them: operations on a guest that runs, and inspecting commands.
 */
#ifndef VMM_SHELL_SHELL_H
#define VMM_SHELL_SHELL_H

#include "report/report.h"
#include "session/session.h"

enum shell_inspection {
	SHELL_INSPECTED,
	SHELL_FOUND, /* the command was `verify`, and its verdict has findings */
	SHELL_NOT_DONE,
};

/* Borrowed until shell_run() returns. */
struct shell_config {
	/* The guest that the shell boots; session.script is `script`. */
	struct session_config session;
	struct script *script; /* operations to begin with; it grows. NULL: only commands, on a SOURCE */
	const char *const *commands; /* names of the inspecting commands; NULL ends the list */
	/*
	 * Runs an inspecting command, words[0], and prints what it finds. session: as it is now, NULL without one; last: the guest at
	 * the stop before, NULL if it was not kept.
	 */
	enum shell_inspection (*inspect)(void *context, struct session *session, const struct view *last,
					 int count, char **words);
	void *context;
	struct report report; /* where to report, and how */
	FILE *input, *errors;
};

struct shell_result {
	uint64_t findings;
	/* A line was wrong, the guest refused an operation, or operations were not verified, and no person typed. */
	bool failed;
};

/* Reads the input to its end. -1: KVM or memory failed; nothing can go on. */
int shell_run(const struct shell_config *config, struct shell_result *result, struct error *error);

#endif
