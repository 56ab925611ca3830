/* SPDX-License-Identifier: MIT */
/*
 * on_demand.h: the second stage for commands that show it beside other things (--stage2). The reader is loaded
 * when it is first needed; a host where the second stage cannot be read gives a reason, not a failure.
 */
#ifndef VMM_STAGE2_ON_DEMAND_H
#define VMM_STAGE2_ON_DEMAND_H

#include "stage2/reader.h"

/* Starts as all zero. */
struct stage2_on_demand {
	struct stage2_reader *reader; /* NULL: not opened yet, or no_reader says why it cannot be */
	bool opened;                  /* stage2_on_demand_open() was called */
	struct error no_reader;
	struct stage2 stage2; /* as last read */
};

/* Loads the reader, once. It takes tens of milliseconds: call it before a VM is paused. */
void stage2_on_demand_open(struct stage2_on_demand *on_demand);

/*
 * Reads the second stage of the VM, as stage2_read(). The result is borrowed and valid until the next call.
 * NULL: `error` says why it cannot be read.
 */
const struct stage2 *stage2_on_demand_read(struct stage2_on_demand *on_demand, pid_t pid, int vm_fd,
					   struct error *error);

/* Closes the reader and frees what was read. */
void stage2_on_demand_close(struct stage2_on_demand *on_demand);

#endif
