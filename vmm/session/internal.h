/* SPDX-License-Identifier: MIT */
/*
 * internal.h: shared by the files of vmm/session.
 */
#ifndef VMM_SESSION_INTERNAL_H
#define VMM_SESSION_INTERNAL_H

#include "session/session.h"

/* ---- records.c ---- */

/* Takes the records of the channel. -1 when memory is out. */
int session_take_records(struct session *session);

/* Ends a `parallel`, if one runs. */
void session_end_parallel(struct session *session);

/* ---- inspect.c: the guest while it is stopped ---- */

/* Reads the claims, which replace the earlier ones. */
int session_read_claims(struct session *session, struct error *error);

/* Reads the flush log, which is half full, before the guest overwrites it. For the next verification. */
int session_take_flushes(struct session *session, struct error *error);

/* Verifies, and adds to session->verdict. Claims that cannot be read are a finding. */
int session_verify(struct session *session, struct error *error);

/* Walks the tables at the page fault that the CPU has reported. */
void session_check_fault(struct session *session, unsigned int cpu);

/* Collects the ranges of the vmalloc range, cut where areas begin, for the report. */
void session_collect_ranges(struct session *session);

/* ---- death.c ---- */

/* The guest died in `event`: fills session->death and adds the finding. -1 when memory is out. */
int session_take_death(struct session *session, const struct machine_event *event);

#endif
