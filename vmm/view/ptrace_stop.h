/* SPDX-License-Identifier: MIT */
/*
 * ptrace_stop.h: another process that stands still for a while, every thread of it, as a debugger would stop
 * it (ptrace(2)). Its parent does not notice, and if this process dies, it goes on.
 */
#ifndef VMM_VIEW_PTRACE_STOP_H
#define VMM_VIEW_PTRACE_STOP_H

#include "base/error.h"

#include <sys/types.h>

struct ptrace_stop;

/*
 * Stops the process. ERROR_PERMISSION where that is not allowed or a debugger has it already, ERROR_HOST
 * where a thread does not stop within two seconds; then all go on.
 */
int ptrace_stop_begin(pid_t pid, struct ptrace_stop **out, struct error *error);

/* Lets it go on, from the thread that stopped it. NULL is allowed. Returns for how long it stood, in ns. */
uint64_t ptrace_stop_end(struct ptrace_stop *stop);

#endif
