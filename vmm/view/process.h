/* SPDX-License-Identifier: MIT */
/*
 * process.h: a view of the guest of a process that knows nothing of kvmap. Its memory is that process's own,
 * which cannot be mapped here; each page is copied when it is looked at first (userfaultfd(2)).
 */
#ifndef VMM_VIEW_PROCESS_H
#define VMM_VIEW_PROCESS_H

#include "view/view.h"

#include <sys/types.h>

/* A piece of guest memory, page-aligned, at `hva` of the process. */
struct process_memory {
	uint64_t gpa;
	uint64_t size;
	uint64_t hva;
};

/*
 * A view of `count` pieces, without CPUs; for view_destroy(). ERROR_PERMISSION where that process's memory
 * may not be read.
 *
 * A page is of the moment when it was looked at first: the view is of one moment only if the process stands
 * still as long as it is asked something new.
 */
int process_view_open(pid_t pid, const struct process_memory *pieces, size_t count, struct view **out,
		      struct error *error);

/* Pages that were asked for and that the process did not have, or not any more: they read as zeros. */
uint64_t process_view_lost_pages(const struct view *view);

#endif
