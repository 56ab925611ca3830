/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h: makes all that a command reads of its sources a picture of one moment, with pauses as short as
 * the copying of pages.
 */
#ifndef VMM_SOURCE_SNAPSHOT_H
#define VMM_SOURCE_SNAPSHOT_H

#include "source/source.h"

enum source_next {
	SOURCE_DONE,
	SOURCE_AGAIN, /* read again, with the VM as it is a little later */
};

/*
 * Reads the sources. It is called several times, and each time the results of earlier calls are void: it must
 * replace them.
 */
typedef enum source_next source_reader(struct source *sources, void *context);

/*
 * Calls `read` for `count` sources, one or two, until all that it reads is of one moment and it returns
 * SOURCE_DONE. VMs run again when this returns, on failure too.
 */
int source_snapshot(struct source *sources, size_t count, source_reader *read, void *context,
		    struct error *error);

/* In a reader: what is read now is of one moment, so that this is the last call unless the reader returns
 * SOURCE_AGAIN. Expensive work, and work with a lasting effect, can be left out before that. */
bool source_is_final(const struct source *source);

/*
 * In a reader, in its last call: ends the pause or the stop of the VM, of which everything was read. -1: it had gone on by
 * itself before, so that what was read may be inconsistent.
 */
int source_end_stop(struct source *source, struct error *error);

/*
 * In a reader: verifies. *area_findings_out, if not NULL, gets that of struct verify_input, to be freed with
 * free(). -1 if the source has no claims.
 */
int source_verify(struct source *source, struct verdict *verdict, uint32_t **area_findings_out,
		  struct error *error);

/*
 * In a reader: whether something wrong with the claims counts, findings of a verdict or a frame without an owner. A VM may be
 * paused in the middle of an operation, when claims and tables differ for a moment; the guest says so. 0: it counts, or
 * nothing is wrong. 1: the reader is to return SOURCE_AGAIN. -1: a CPU was in an operation in every snapshot of two
 * seconds, or is in one where the guest of a shell is stopped, and nothing can be said.
 */
int source_settle(struct source *source, bool wrong, struct error *error);

#endif
