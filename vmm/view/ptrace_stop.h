/* SPDX-License-Identifier: MIT */
/*
 * ptrace_stop.h: stops all threads of another process by PTRACE_INTERRUPT (ptrace(2)). Its parent is not
 * notified, and the process continues if this one dies.
 */
#ifndef VMM_VIEW_PTRACE_STOP_H
#define VMM_VIEW_PTRACE_STOP_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct ptrace_stop;

/* Nanoseconds: for `dump` of some 10 GiB; other commands need far less. */
#define PTRACE_STOP_MAX_NS 30000000000ull

/*
 * Stops the process for at most `limit_ns`. ERROR_PERMISSION if this user may not, or a debugger traces
 * it; ERROR_HOST if a thread does not stop within two seconds. On an error the process continues. The tracer is
 * a watchdog, a process of its own: the stop ends at the limit, or with this process, also if this one is
 * stopped or blocked.
 */
int ptrace_stop_begin(pid_t pid, uint64_t limit_ns, struct ptrace_stop **out, struct error *error);

struct ptrace_stop_end {
	uint64_t stopped_ns;
	bool expired; /* the process continued by itself, at the limit */
};

/* Continues the process. NULL is allowed. */
void ptrace_stop_end(struct ptrace_stop *stop, struct ptrace_stop_end *out);

#endif
