/* SPDX-License-Identifier: MIT */
/*
 * diff_parts.h: what text and JSON of `diff` share. Private to vmm/report.
 */
#ifndef VMM_REPORT_DIFF_PARTS_H
#define VMM_REPORT_DIFF_PARTS_H

#include "report/diff.h"

void diff_json(struct report *report, const struct report_diff *diff);

/* "live area", "no memory" */
const char *diff_owner_name(unsigned int kind);

/*
 * Writes the owner of the range's address, by the claims of the source that maps it; of the second one if
 * both do. Returns out.
 */
const char *diff_location(const struct report_diff *diff, const struct diff_range *range, char *out,
			  size_t size);

#endif
