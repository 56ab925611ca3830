/* SPDX-License-Identifier: MIT */
/*
 * extents.h: where the memory of a stopped VM has data. Without it each question is a system call, and reading
 * a page that was never used makes the host's kernel allocate it.
 */
#ifndef VMM_VIEW_EXTENTS_H
#define VMM_VIEW_EXTENTS_H

#include "view/view.h"

/*
 * Reads from the files of all regions where data is; view_next_data() then uses that. The VM must stay stopped
 * until view_forget_data() or the next view_learn_data(). -1 if memory is out: nothing is known then.
 */
int view_learn_data(struct view *view);
void view_forget_data(struct view *view);

/* All of [gpa, gpa + size) is known to be zeros. False if nothing is known. */
bool view_is_hole(const struct view *view, uint64_t gpa, uint64_t size);

/* view_next_data() of a view whose data is known. */
bool extents_next(const struct view *view, uint64_t gpa, uint64_t end, uint64_t *start_out,
		  uint64_t *end_out);

#endif
