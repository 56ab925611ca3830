/* SPDX-License-Identifier: MIT */
/*
 * dump.h: the report of `dump`.
 */
#ifndef VMM_REPORT_DUMP_H
#define VMM_REPORT_DUMP_H

#include "report/report.h"
#include "view/view.h"

#include <stddef.h>

/* The file is written. Borrowed. */
struct report_dump {
	const char *file;
	const char *program; /* that the guest runs; NULL: unknown */
	uint64_t offset;     /* at which it runs it to the addresses of the file */
	const struct view *view;
	bool physical;   /* memory by physical address, and the image alone by virtual address */
	size_t mappings; /* pieces of virtual addresses */
	const char *
		no_tables; /* why virtual addresses are the physical ones; NULL: the guest's tables were read */
	/* Bytes of virtual addresses that shared tables translate, and that the core does not have. */
	uint64_t left_out;
	unsigned int not_known; /* enum view_lacks: registers that are 0 in NT_PRSTATUS of some CPU */
	bool cut_short;         /* the core does not have all mappings of damaged tables */
	uint64_t stored;        /* bytes of memory that the file has on its disk */
};

void report_dump(struct report *report, const struct report_dump *dump);

#endif
