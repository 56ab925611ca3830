/* SPDX-License-Identifier: MIT */
/*
 * warn.h: refusals of the memory manager, for warnings: the caller, and the area concerned. The memory
 * manager prints nothing; its user takes the refusal and reports it.
 *
 * The caller is the return address of the public function. Public functions that end in another one pass
 * their own caller on, since such calls are jumps.
 */
#ifndef GUEST_MM_WARN_H
#define GUEST_MM_WARN_H

#include "kvmap/channel.h"
#include "kvmap/operation.h"
#include "mm/gfp.h"

struct refusal {
	u32 status; /* enum kvmap_status */
	bool in_interrupt;
	const void *caller;
	unsigned long addr; /* argument of the call, 0 = none */
	/*
	 * The allocation that contains addr: an area without its guard page, or an object or block of kmalloc(); 0 =
	 * unknown.
	 */
	unsigned long area, area_size;
	const void *area_caller; /* of the function that allocated it; NULL = unknown */
	struct kvmap_limits limits;
};

/* Records a refusal on this CPU. caller NULL: the request wants no warning (__GFP_NOWARN). */
void refusal_record(u32 status, unsigned long addr, const void *caller);

/* A request whose refusal is recorded: what it wanted. */
struct request {
	u64 bytes;
	gfp_t gfp;
	bool contiguous;
	u32 which; /* enum kvmap_limit: what bounds its size, and the bound in bytes */
	u64 limit;
};

/*
 * refusal_record() with the numbers that the status is about. Records nothing if memory or space ran out and the
 * request has __GFP_NOWARN.
 */
void refusal_record_request(u32 status, unsigned long addr, const void *caller,
			    const struct request *request);

/* Takes this CPU's latest refusal since the last call; false if there was none. */
bool refusal_take(struct refusal *out);

#endif
