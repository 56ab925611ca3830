/* SPDX-License-Identifier: MIT */
/*
 * show.h: what the operation `show` puts into a report.
 */
#ifndef VMM_REPORT_SHOW_H
#define VMM_REPORT_SHOW_H

#include "kvmap/operation.h"
#include "report/areas.h"
#include "report/run.h"

/* The stopped guest. Borrowed. verdict and findings: as in struct report_areas, for KVMAP_SHOW_AREAS. */
struct report_show {
	enum kvmap_show what;
	bool has_address; /* of KVMAP_SHOW_FRAMES always, of KVMAP_SHOW_AREAS: only the area that it lies in */
	uint64_t address;
	struct report_areas guest;
};

/* Prints it, as text and JSON lines of `columns`, into *out. -1 when memory is out. */
int report_show(const struct report_show *show, unsigned int columns, struct report_shown *out);

/* In place of it: why nothing can be shown. */
int report_show_error(const char *why, struct report_shown *out);

#endif
