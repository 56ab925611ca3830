/* SPDX-License-Identifier: MIT */
/*
 * inspection.h: how a command reads its sources and reports. Its body is a function that source_snapshot()
 * may call several times; output is collected and printed once, when all that was read is of one moment.
 */
#ifndef VMM_COMMANDS_INSPECTION_H
#define VMM_COMMANDS_INSPECTION_H

#include "commands/commands.h"
#include "commands/source_options.h"
#include "source/snapshot.h"

struct inspection;

/* Returned by a body that is to be called again, with a later snapshot of the VMs. */
#define INSPECTION_AGAIN (-1)

/*
 * Reads the sources, reports, and returns an exit status or INSPECTION_AGAIN. It must have no effect but
 * through the functions below, unless source_is_final().
 */
typedef int inspection_body(struct inspection *inspection, struct source *sources, void *context);

/* Opens the source and calls the body for it. Returns the exit status of the command; all is printed. */
int inspection_run(const struct source_options *options, enum source_claims claims, inspection_body *body,
		   void *context);

/* The same for `count` sources, one or two, that are open. They stay open. */
int inspection_run_sources(struct source *sources, size_t count, const struct options *options,
			   inspection_body *body, void *context);

/*
 * Sources by a name, for the time of a command: sources[i] is what the command line calls names[i]. NULL: no longer.
 */
struct inspection_names {
	const char *const *names;
	const struct source *sources;
	size_t count;
};
void inspection_use(const struct inspection_names *names);

/* Opens a source. -1 when the error is printed. */
int inspection_open(const char *name, const struct source_config *config, struct source *out);

/* In a body: where its report goes. */
void inspection_report(struct inspection *inspection, struct report *report);

/* In a body: as command_fail(). */
int inspection_fail(struct inspection *inspection, const struct error *error, const char *detail);

/*
 * In a body: whether the source has page tables to walk. False: as inspection_fail(). A line on stderr says which
 * CPU's tables they are if that is neither CPU 0 nor the one that was wanted.
 */
bool inspection_has_mode(struct inspection *inspection, const struct source *source);

/* In a body: prints a line on stderr, with the reason, if a source has no symbols. */
void inspection_warn(struct inspection *inspection);

/*
 * In a body: what to return where something is wrong with the guest's claims, or not. The body reports only if
 * inspection_is_reported() allows it.
 */
int inspection_status(struct inspection *inspection, struct source *source, bool wrong);
bool inspection_is_reported(int status);

/* The exit status of a script that was run to its end. */
int session_status(const struct session *session);

#endif
