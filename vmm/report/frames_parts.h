/* SPDX-License-Identifier: MIT */
/*
 * frames_parts.h: parts of the report of `frames`. Private to vmm/report.
 */
#ifndef VMM_REPORT_FRAMES_PARTS_H
#define VMM_REPORT_FRAMES_PARTS_H

#include "report/frames.h"

/* The histograms: distances of neighbours, lengths of physically contiguous runs. */
void part_scatter(struct report *report, const struct report_frames *about);

#endif
