/* SPDX-License-Identifier: MIT */
/*
 * core_dump.h: the core of a guest, for debuggers and for kvmap: what `run --dump` and `dump` write.
 */
#ifndef VMM_COMMANDS_CORE_DUMP_H
#define VMM_COMMANDS_CORE_DUMP_H

#include "paging/mappings.h"
#include "program/symbols.h"
#include "report/dump.h"
#include "view/core.h"

struct core_dump {
	const struct view *view;
	const struct walk_mode *mode;  /* NULL: the guest has no page tables, or they cannot be read */
	const char *no_mode;           /* why mode is NULL */
	const struct symbols *symbols; /* of the guest's program; NULL: none */
	const char *program;           /* its path, kept in the core; NULL: unknown */
	bool physical;                 /* --physical */
	core_check *check;             /* of core_write_checked(); NULL: none */
	void *check_context;
	struct mappings mappings; /* set by core_dump_collect() */
};

/*
 * Collects what the guest maps. Without page tables that is all memory at its physical addresses, and the image
 * where it is linked. -1: out of memory. core_dump_destroy() frees it in any case.
 */
int core_dump_collect(struct core_dump *dump, struct error *error);

/* Writes the core to `path`, and says on stderr what a debugger will not find there. Sets *out. */
int core_dump_write(const struct core_dump *dump, const char *path, struct report_dump *out,
		    struct error *error);

void core_dump_destroy(struct core_dump *dump);

#endif
