/* SPDX-License-Identifier: MIT */
/*
 * process.h: a view of the guest of another program's process, such as QEMU. Its private memory cannot be
 * mapped here; each page is copied from /proc/PID/mem at its first access (userfaultfd(2)).
 */
#ifndef VMM_VIEW_PROCESS_H
#define VMM_VIEW_PROCESS_H

#include "view/view.h"

#include <sys/types.h>

/* Guest memory, page-aligned, at address `hva` of the process. */
struct process_memory {
	uint64_t gpa;
	uint64_t size;
	uint64_t hva;
};

/*
 * Opens a view of `count` pieces, without CPUs, to be freed by view_destroy(). ERROR_PERMISSION if this user
 * may not read the memory of that process.
 *
 * A page has the contents it had at its first access. The view is consistent only if the process is stopped
 * (ptrace_stop.h) during all first accesses.
 */
int process_view_open(pid_t pid, const struct process_memory *pieces, size_t count, struct view **out,
		      struct error *error);

/* Number of accessed pages that could not be read from the process; they read as zeros. */
uint64_t process_view_lost_pages(const struct view *view);

#endif
