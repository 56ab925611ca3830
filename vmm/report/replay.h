/* SPDX-License-Identifier: MIT */
/*
 * replay.h: the verdict of a TLB model, and its events, as `replay` prints them.
 */
#ifndef VMM_REPORT_REPLAY_H
#define VMM_REPORT_REPLAY_H

#include "report/report.h"
#include "tlb/tlb.h"

/* Where an instruction was: its address and symbol, and what the words of its stack may be return addresses to. */
struct report_place {
	char at[200]; /* "": not known */
	char callers[6][200];
	unsigned int caller_count;
};

/* For a finding: the instruction that made it, the one that changed the entry, and that entry. */
struct report_origin {
	struct report_place used, changed;
	bool has_entry;
	uint64_t entry, old, value; /* entry: its GPA */
};

struct report_replay {
	const char *file; /* escaped; of kvmap judge the kernel */
	const struct tlb_result *result;
	bool is_cut;                         /* the file goes on */
	bool was_run;                        /* by kvmap judge */
	const struct report_origin *origins; /* of each finding; NULL: not known */
	const char *end;                     /* was_run: how the guest ended */
	const char *not_done;                /* why "no findings" is no verdict; NULL: it is one */
	const uint32_t *samples;             /* debts at every sample_every'th event */
	size_t sample_count;
	uint64_t sample_every;
};

/* Rules, findings, figures, and the sentence at the end. */
void report_replay(struct report *report, const struct report_replay *replay);

/* One event; seq: its number, or of a page that of the next one. */
void report_event(struct report *report, uint64_t seq, const struct tlb_event *event);

/* replay_findings.c: for replay.c. */
void replay_findings(struct report *report, const struct report_replay *replay);

#endif
