/* SPDX-License-Identifier: MIT */
/*
 * requests.h: the requests of a script's operations whose memory it has not freed, as the host knows them from the script and from
 * the address that each operation returned. The claims of the guest are compared with it (requests.c): what the guest forgets
 * of a request, it forgets in its own structures, too.
 */
#ifndef VMM_VERIFY_REQUESTS_H
#define VMM_VERIFY_REQUESTS_H

#include "base/array.h"

#include <stdbool.h>
#include <stdint.h>

/* Memory that a script has. */
struct request {
	uint64_t address;
	uint64_t size;  /* bytes requested */
	uint64_t flags; /* of the VM_* that requests decide, those that its area must have */
	uint32_t gfp;   /* zone, node and __GFP_ZERO, if gfp_known */
	bool gfp_known; /* not after a resize to other flags */
	bool alias;     /* a second mapping: it has no frames of its own */
	bool either;    /* of kvmalloc(): an area only where an object was refused */
};

/* Zero is that of a guest that has done nothing. The owner frees items. */
struct requests {
	ARRAY_OF(struct request);
	bool incomplete; /* an operation has allocated or freed what no address tells of */
	bool reserve;    /* one may have used the reserve of frames */
	bool low;        /* one has named a zone below the normal one */
	/* An area that the last operation, and nothing since, has freed without a wait; 0: none. */
	uint64_t deferred;
};

#endif
