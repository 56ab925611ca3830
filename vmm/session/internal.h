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

/* Reads the flush log, which is half full, before the guest overwrites it. For the next verification. */
int session_take_flushes(struct session *session, struct error *error);

/* With config.log: opens the history. */
int session_open_history(struct session *session, struct error *error);

/* Takes the new records of the event log. */
int session_take_log(struct session *session, struct error *error);

/* Ends the recording of events. -1: it could not all be written. */
int session_close_history(struct session *session, struct error *error);

/* Walks the tables at the page fault that the CPU has reported. */
void session_check_fault(struct session *session, unsigned int cpu);

/* Reads what the `show` in progress names, for its step. -1 when memory is out, or KVM failed. */
int session_show(struct session *session, struct error *error);

/* Collects the ranges of the vmalloc range, cut where areas begin, for the report. */
void session_collect_ranges(struct session *session);

/* ---- requests.c ---- */

/* An operation ended: adds its request, or removes the one that it freed, before its variable is set. -1 when memory is out. */
int requests_note(struct session *session, const struct kvmap_operation *operation,
		  const struct kvmap_record *result);

/* ---- session.c ---- */

/* Makes the machine and boots it. The session is destroyed if that fails. */
int session_boot(const struct session_config *config, struct session **out, struct error *error);

/*
 * Runs until the guest's end or, with a ring, until it is idle. deadline_ns: CLOCK_MONOTONIC, 0 = none. The doorbells
 * on the way are answered.
 */
int session_run_guest(struct session *session, uint64_t deadline_ns, struct machine_event *event_out,
		      struct error *error);

/* After the end: verifies if `verify` is set, compares the records with the script, and fills session->run. */
int session_check_end(struct session *session, bool verify, struct error *error);

/* How long a guest with a ring may take to its end once the ring is closed. */
#define SESSION_END_NS 10000000000ull

/* Takes an event that ends the run. */
int session_take_end(struct session *session, const struct machine_event *event, struct error *error);

/* ---- death.c ---- */

/* The guest died in `event`: fills session->death and adds the finding. -1 when memory is out. */
int session_take_death(struct session *session, const struct machine_event *event);

/* Verifies the claims that were read of a guest that died. Where that fails, nothing is seen. */
void session_verify_dead(struct session *session);

#endif
