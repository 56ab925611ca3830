/* SPDX-License-Identifier: MIT */
/*
 * expectations.h: findings of the run itself (invariant 0): an operation that failed in the guest, a fault
 * report that the tables contradict, a guest that died or stopped early.
 *
 * Each function adds to session->verdict. They return 0, or -1 when memory is out.
 */
#ifndef VMM_SESSION_EXPECTATIONS_H
#define VMM_SESSION_EXPECTATIONS_H

#include "session/session.h"

/* The address that an operand names. False if only the guest knows it, or its variable is not set. */
bool expectations_address(const struct session *session, const struct kvmap_operand *operand, uint64_t *out);

/* The verdict before the first verification: no invariant was seen. */
void expectations_begin(struct verdict *verdict);

/* Before the first verification: there will be none, since none was wanted. */
void expectations_not_wanted(struct verdict *verdict);

/* Adds the first verification, which replaces "not seen". Earlier findings stay. */
int expectations_first_verdict(struct session *session, const struct verdict *verdict);

/* A verification was due, and the claims or the tables of the guest could not be read. */
int expectations_unreadable(struct session *session, const struct error *error);

/* An operation ended. */
int expectations_check_step(struct session *session, const struct report_step *step);

/* "script.kvs:2: vfree a" of the operation in progress, or "before the first operation" ... */
void expectations_where(const struct session *session, char *out, size_t size);

/* The guest died: session->death. */
int expectations_check_death(struct session *session);

/*
 * A guest that says that it has done the operations of the ring has not. waiting: of machine_ring_waiting().
 */
int expectations_broken_ring(struct session *session, int waiting);

/* A guest ended while the ring was open. */
int expectations_left_ring(struct session *session);

/* The run is over: counts of records and operations. */
int expectations_check_end(struct session *session);

#endif
