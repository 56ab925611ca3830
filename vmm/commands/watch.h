/* SPDX-License-Identifier: MIT */
/*
 * watch.h: a command that is run again and again, for a terminal.
 */
#ifndef VMM_COMMANDS_WATCH_H
#define VMM_COMMANDS_WATCH_H

/*
 * Calls once(context), which prints to stdout and returns an exit status, twice a second, and shows what it prints in place of
 * what it printed before: lines that are new are marked with +, those that are gone are below, with -. Ends with Ctrl-C, or
 * when once() returns EXIT_NOT_DONE. Returns the last status. EXIT_NOT_DONE with a message if stdout is no terminal.
 */
int watch_run(int (*once)(void *context), void *context);

#endif
