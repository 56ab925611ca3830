/* SPDX-License-Identifier: MIT */
/*
 * frames.h: the reports of `frames`.
 */
#ifndef VMM_REPORT_FRAMES_H
#define VMM_REPORT_FRAMES_H

#include "claims/claims.h"
#include "claims/owners.h"
#include "inspect/frames.h"
#include "program/symbols.h"
#include "report/report.h"

/* `frames SOURCE` */
struct report_frames {
	const struct frames *frames;
	const struct frame_scatter *scatter;
	const char *scatter_of; /* "4K pages of vmalloc" */
	unsigned int columns;   /* of the terminal: the map of memory is as wide as fits */
};

void report_frames(struct report *report, const struct report_frames *frames);

/* `frames SOURCE FRAME`. claims, owners and symbols may be NULL, the first two only together. */
struct report_frame {
	uint64_t pfn;
	const struct view *view;
	const struct frame_run *run; /* that has the frame; NULL: there is no memory */
	const struct frame_reaches *reaches;
	const struct claims *claims;
	const struct owners *owners;
	struct symbols *symbols;
};

void report_frame(struct report *report, const struct report_frame *frame);

#endif
