/* SPDX-License-Identifier: MIT */
/*
 * ring.h: operations from host to guest, while the guest runs: a ring in guest memory, below 1 MiB.
 *
 * The guest first runs the operations of the boot module, then those of the ring, and numbers both in one
 * sequence: number n of the ring is in operation[n & (capacity - 1)]. Only the host writes `head` and the
 * operations, only the guest writes `tail`; both are such numbers, modulo 2^32, and begin with the module's
 * operation_count. An operation's place is used again once `tail` is beyond it. A `parallel` and its operations
 * are published together, so that no more than `capacity` of them are possible.
 *
 * A guest that has run everything (head == tail) rings KVMAP_DOORBELL_IDLE; when the host continues it, it reads
 * `head` again. `closed` then ends the run as the end of a module without a ring does.
 *
 * The host does not trust the ring: it has its own copy of everything that it writes, reads `tail` once, and a tail
 * that is not between the last one and its own head is a finding.
 */
#ifndef KVMAP_RING_H
#define KVMAP_RING_H

#include "kvmap/operation.h"

#include <assert.h>
#include <stdint.h>

struct kvmap_ring {
	uint32_t capacity; /* a power of two, set by the host before the guest starts */
	uint32_t head;     /* number of the next operation that the host will write */
	uint32_t tail;     /* number of the first operation that is not done */
	uint32_t closed;   /* not 0: no operation will follow; set by the host */
	/*
	 * Replaced by the host when head == tail. Offsets are in bytes from the start of the ring; what `print` shows
	 * is in the strings instead of in those of the module, and the names of the variables follow one another as
	 * there, from number 0 on.
	 */
	uint32_t variable_count; /* at most KVMAP_VARIABLES_MAX; never falls */
	uint32_t strings_offset;
	uint32_t strings_size; /* the last byte is 0 */
	uint32_t names_offset;
	uint32_t names_size;
	uint32_t unused[7];
	struct kvmap_operation operation[];
};

static_assert(sizeof(struct kvmap_ring) == 64, "ring");

#endif
