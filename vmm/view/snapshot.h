/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h: memory of a VM that runs, of which a reader has pages as they were at one moment.
 *
 * A region is mapped twice: as it is now, and as the reader sees it, private, where a page that was written
 * is the reader's own. Pages that the reader has asked for (view_region.accessed) are copied from the one to the
 * other while the VM stands still. What a reader will ask for is known from what it asked for before, so that
 * it reads, has the pages of one moment copied, and reads again: if it then asks for nothing else, all that
 * it has seen is of that moment. The VM stands still for the copying, not for the reading.
 */
#ifndef VMM_VIEW_SNAPSHOT_H
#define VMM_VIEW_SNAPSHOT_H

#include "base/array.h"
#include "view/view.h"

/* Bytes that lie one after the other. */
struct snapshot_run {
	uint8_t *own;
	const uint8_t *now;
	size_t size;
};

struct snapshot_region {
	uint8_t *own;             /* private: what the view shows */
	const uint8_t *now;       /* shared: as it is now */
	uint64_t size;            /* bytes */
	uint64_t *accessed, *has; /* a bit for each page; `has`: those copied last time */
};

struct snapshot {
	ARRAY_OF(struct snapshot_region) regions;
	ARRAY_OF(struct snapshot_run) runs;
};

/*
 * Maps `size` bytes of the descriptor at `offset` and fills in bytes and `asked` of *region, whose size and
 * gpa are set. They are this snapshot's. 0, or -1 with errno.
 */
int snapshot_map(struct snapshot *snapshot, struct view_region *region, int fd, uint64_t offset);

/* Before the VM is stopped: makes room for all that was asked for. -1: memory is out. */
int snapshot_prepare(struct snapshot *snapshot);

/* While it stands still: copies what snapshot_prepare() has made room for. */
void snapshot_copy(struct snapshot *snapshot);

/* Nothing was asked for that the last snapshot_copy() did not copy. */
bool snapshot_is_complete(const struct snapshot *snapshot);

void snapshot_destroy(struct snapshot *snapshot);

#endif
