/* SPDX-License-Identifier: MIT */
/*
 * replay.h: the verdict of a TLB model, and its events, as `replay` prints them.
 */
#ifndef VMM_REPORT_REPLAY_H
#define VMM_REPORT_REPLAY_H

#include "report/report.h"
#include "tlb/tlb.h"

struct report_replay {
	const char *file; /* escaped */
	const struct tlb *tlb;
	bool is_cut; /* the file goes on */
};

/* Rules, findings, figures, and the sentence at the end. */
void report_replay(struct report *report, const struct report_replay *replay);

/* One event; seq: its number, or of a page that of the next one. */
void report_event(struct report *report, uint64_t seq, const struct tlb_event *event);

/* replay_findings.c: for replay.c. */
void replay_findings(struct report *report, const struct tlb *tlb);

#endif
