/* SPDX-License-Identifier: MIT */
/*
 * stage2.h: the second stage for commands that look at it beside other things (--stage2): where it
 * cannot be read, that is a reason and no failure.
 */
#ifndef VMM_SOURCE_STAGE2_H
#define VMM_SOURCE_STAGE2_H

#include "report/report.h"
#include "stage2/reader.h"

struct second_stage {
	struct stage2_reader *reader; /* loaded at the first look */
	bool tried;
	struct error no_reader; /* then: why there is none */
	struct stage2 stage2;   /* of the last look */
};

/* Loads what it takes, which takes a while: before a VM is made to wait for it. */
void second_stage_prepare(struct second_stage *look);

/* All zero before. What it was before is gone; NULL, and `error` says why it is not seen. */
const struct stage2 *second_stage_look(struct second_stage *look, pid_t pid, int vm_fd, struct error *error);
void second_stage_close(struct second_stage *look);

/* Where it takes a GPA, for report_walk(). */
void second_stage_explain(const struct stage2 *stage2, uint64_t gpa, struct report_second_stage *out);

#endif
