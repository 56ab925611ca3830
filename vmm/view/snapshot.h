/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h: consistent copies of the pages of a running VM that a reader accesses.
 *
 * A region is mapped twice: shared (`now`), with the current contents, and private (`own`), where pages become
 * copies. While the VM is paused, the pages that the reader has accessed (view_region.accessed) are copied
 * from `now` to `own`. A reader runs again after each copy; once it accesses no page that was not copied,
 * everything it read is of the time of the pause. The VM is paused while pages are copied, not while they are
 * read.
 */
#ifndef VMM_VIEW_SNAPSHOT_H
#define VMM_VIEW_SNAPSHOT_H

#include "base/array.h"
#include "view/view.h"

/* A run of consecutive pages to copy. */
struct snapshot_run {
	uint8_t *own;
	const uint8_t *now;
	size_t size;
};

struct snapshot_region {
	uint8_t *own;             /* private mapping: the bytes of the view */
	const uint8_t *now;       /* shared mapping: current contents */
	uint64_t size;            /* bytes */
	uint64_t *accessed, *has; /* bitmaps of pages; `has`: copied last time */
};

struct snapshot {
	ARRAY_OF(struct snapshot_region) regions;
	ARRAY_OF(struct snapshot_run) runs;
};

/*
 * Maps region->size bytes of the descriptor at `offset`, and sets `bytes` and `accessed` of *region, which the
 * snapshot owns. region->gpa and size are set by the caller. 0, or -1 with errno.
 */
int snapshot_map(struct snapshot *snapshot, struct view_region *region, int fd, uint64_t offset);

/* Before the pause: allocates copies of all accessed pages. -1: out of memory. */
int snapshot_prepare(struct snapshot *snapshot);

/* During the pause: copies the pages that snapshot_prepare() listed. */
void snapshot_copy(struct snapshot *snapshot);

/* Whether the last snapshot_copy() copied every page accessed until now. */
bool snapshot_is_complete(const struct snapshot *snapshot);

void snapshot_destroy(struct snapshot *snapshot);

#endif
