/* SPDX-License-Identifier: MIT */
/*
 * ptrace_stop.h: stops all threads of another process by PTRACE_INTERRUPT (ptrace(2)). Its parent is not
 * notified, and the process continues if this one dies.
 */
#ifndef VMM_VIEW_PTRACE_STOP_H
#define VMM_VIEW_PTRACE_STOP_H

#include "base/error.h"

#include <sys/types.h>

struct ptrace_stop;

/*
 * Stops the process. ERROR_PERMISSION if this user may not, or a debugger traces it already; ERROR_HOST if a
 * thread does not stop within two seconds. On an error the process continues.
 */
int ptrace_stop_begin(pid_t pid, struct ptrace_stop **out, struct error *error);

/* Continues the process; from the thread that stopped it. NULL is allowed. Returns the stop's length in ns. */
uint64_t ptrace_stop_end(struct ptrace_stop *stop);

#endif
