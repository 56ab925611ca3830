/* SPDX-License-Identifier: MIT */
/*
 * internal.h: the state of a shell, for the files of this room.
 */
#ifndef VMM_SHELL_INTERNAL_H
#define VMM_SHELL_INTERNAL_H

#include "shell/editor.h"
#include "shell/shell.h"
#include "shell/words.h"

enum verify_mode { VERIFY_EACH, VERIFY_END, VERIFY_OFF };

struct shell {
	const struct shell_config *config;
	struct report report;
	struct editor *editor;
	struct session *session;   /* NULL: there is no guest to give operations */
	struct script_mark booted; /* the script before anything was typed */
	enum verify_mode verify;
	struct view *last; /* the guest before the newest operations */
	struct error no_last;
	struct script_mark before; /* the script before the line, or before the block that is open in it */
	unsigned int
		dropped; /* blocks that are open in the lines that are dropped, since their head was refused */
	uint64_t line_ns;   /* CLOCK_MONOTONIC: when the line was complete */
	size_t verified;    /* operations of the guest that were done at its last verification */
	bool verified_dead; /* the guest died, and its memory was verified after that */
	/* Sums over the guests before `restart`. */
	uint64_t earlier_findings, earlier_unverified, earlier_refused;
	struct shell_result result;
	bool ends;
};

/* ---- shell.c ---- */

/* Prints "kvmap: TEXT" on stderr, and `detail` below it (NULL or empty: none). */
void shell_error(struct shell *shell, const char *text, const char *detail);

/* After a line ran: Ctrl-C is forgotten, any other signal ends the shell. */
void shell_take_signal(struct shell *shell);

/* Runs an inspecting command, words[0]. */
void shell_inspect(struct shell *shell, int count, char **words);

/* ---- guest.c: each runs the guest, and reports the stop after it. -1: nothing can go on ---- */

int guest_start(struct shell *shell, struct error *error);
/* Runs what the script has gained since shell->before, or takes it out of the script if it does not fit. */
int guest_execute(struct shell *shell, struct error *error);
/* Boots it anew. Without a guest: a message. */
int guest_restart(struct shell *shell, struct error *error);
/* Lets a stopped guest run on. Without one: a message. */
int guest_continue(struct shell *shell, struct error *error);
/* SESSION_DEAD: verifies the memory as the guest left it, once, for the verdict of the session. */
int guest_verify_dead(struct shell *shell, struct error *error);
/* Ends it, and reports the verdict. */
int guest_finish(struct shell *shell, struct error *error);

/* ---- own_words.c ---- */

/* Does what the first word says, which is one of help_own_words. -1: nothing can go on. */
int own_word_run(struct shell *shell, const struct words *words, struct error *error);

#endif
