/* SPDX-License-Identifier: MIT */
/*
 * progress.h: a line on the terminal for a command that takes longer than a second: what it does, and for how long.
 */
#ifndef VMM_COMMANDS_PROGRESS_H
#define VMM_COMMANDS_PROGRESS_H

/* Nothing unless standard error is a terminal that can clear a line. */
void progress_begin(void);

/* Clears the line, if there is one, and shows no other. Before each output of the command; may be called again. */
void progress_end(void);

#endif
