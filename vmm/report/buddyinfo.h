/* SPDX-License-Identifier: MIT */
/*
 * buddyinfo.h: free blocks by NUMA node, zone and order, in the format of Linux's /proc/buddyinfo. For `proc` and for
 * the warnings of `run`. Private to vmm/report.
 */
#ifndef VMM_REPORT_BUDDYINFO_H
#define VMM_REPORT_BUDDYINFO_H

#include "kvmap/claims.h"
#include "report/report.h"

/* A row: the zones of one type on one node. */
struct buddy_row {
	bool present;
	uint64_t blocks[MAX_ORDER + 1]; /* by order */
};

/* "DMA32"; for any other type "Normal". */
const char *buddy_zone_name(uint32_t kind);

struct json_object;
/* The members node, zone and free. */
void buddy_row_add(struct json_object *line, uint32_t node, uint32_t kind, const struct buddy_row *row);

#endif
