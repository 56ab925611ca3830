/* SPDX-License-Identifier: MIT */
/*
 * pause.h: how a VM was read: the first lines of the report of an inspecting command.
 */
#ifndef VMM_REPORT_PAUSE_H
#define VMM_REPORT_PAUSE_H

#include "report/report.h"

/* The pauses of a VM of kvmap. Nanoseconds. */
struct report_pause {
	unsigned int count;
	uint64_t longest_ns; /* by the VM's own clock; 0: the VM ended during the pause */
	uint64_t client_ns;  /* the same pause, with the messages */
	uint64_t all_ns;     /* all pauses together */
	bool ended;          /* the VM, in the last of them */
};

void report_pause(struct report *report, uint32_t pid, const struct report_pause *pause);

/* How the VM of another program was read. */
struct report_process {
	uint32_t pid;
	bool stopped; /* its threads were, for stopped_ns; else it ran on */
	uint64_t stopped_ns;
	unsigned int old_cr3; /* vCPUs whose CR3 may be stale */
	uint64_t lost;        /* pages that could not be read */
};

void report_process(struct report *report, const struct report_process *process);

#endif
