/* SPDX-License-Identifier: MIT */
/*
 * ring.h: the guest's end of the ring of operations (kvmap/ring.h).
 */
#ifndef GUEST_AGENT_RING_H
#define GUEST_AGENT_RING_H

#include "kvmap/boot.h"
#include "lib/types.h"

/* Opens the ring of the boot record. False if its size is invalid. */
bool ring_open(const struct kvmap_boot *record);

/* After the operations of the module: runs those of the ring, until the host closes it. */
void ring_run(void);

#endif
