/* SPDX-License-Identifier: MIT */
/*
 * stop.h: the report of `shell` each time its guest stops: the operations since the last stop, what they changed, and the
 * verification. All that it shows is borrowed.
 */
#ifndef VMM_REPORT_STOP_H
#define VMM_REPORT_STOP_H

#include "report/run.h"

struct report_stop {
	const struct report_run *run; /* the whole session */
	size_t first_step;            /* the first one since the last stop */
	const struct claims *before;  /* at the last stop; NULL: nothing is compared */
	bool verified;
	uint64_t findings;      /* of this verification, and of the run since the last stop */
	size_t first_listed;    /* number of listed findings at the last stop */
	uint64_t checks;        /* of this verification */
	uint64_t ns;            /* from the line to here: guest and verification */
	uint64_t guest_ns;      /* in the guest and its exits */
	bool dead;              /* the guest cannot run again */
	const char *stopped_at; /* stopped by Ctrl-C: the operation in progress; else NULL */
};

void report_stop(struct report *report, const struct report_stop *stop);

#endif
