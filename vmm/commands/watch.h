/* SPDX-License-Identifier: MIT */
/*
 * watch.h: a command that is run again and again, for a terminal.
 */
#ifndef VMM_COMMANDS_WATCH_H
#define VMM_COMMANDS_WATCH_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Calls once(context, &last), which prints to stdout and stderr and returns an exit status, twice a second, and shows what it
 * prints to stdout in place of what it printed before: lines that are new are marked with +, those that are gone are below,
 * with -. Ends with Ctrl-C, when once() has set `last`, or when it returns EXIT_NOT_DONE, with what it printed to stderr.
 * Returns the last status. EXIT_NOT_DONE with a message if stdout is no terminal.
 */
int watch_run(int (*once)(void *context, bool *last_out), void *context);

/* Whether stdout is a terminal. -1: ERROR_INPUT. */
int watch_check_terminal(struct error *error);

/*
 * Starts `kvmap map --watch` of the VM that this process is about to make, as another process. Call watch_end() with the
 * process id, which is -1 with an error.
 */
pid_t watch_begin(struct error *error);

/* Waits until the VM was shown at its end, if it has one; ends the process earlier if a signal was received. */
void watch_end(pid_t watcher, bool at_end);

#endif
