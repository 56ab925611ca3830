/* SPDX-License-Identifier: MIT */
/*
 * expectations.h: what of a run itself is a finding (invariant 0): an operation that failed in the guest, a fault
 * report that the tables contradict, a guest that died or stopped early.
 *
 * All return 0, or -1 when memory is out.
 */
#ifndef VMM_SESSION_EXPECTATIONS_H
#define VMM_SESSION_EXPECTATIONS_H

#include "session/session.h"

/* Before anything was verified: no invariant seen. */
void judge_nothing_seen(struct verdict *verdict);

/* The first verification replaces "not seen", and keeps the findings made so far. */
int judge_first(struct session *session, const struct verdict *verdict);

/* At a stop for verification the guest had no claims or tables that could be read. */
int judge_unreadable(struct session *session, const struct error *error);

int judge_step(struct session *session, const struct report_step *step);
int judge_death(struct session *session);
int judge_end(struct session *session);

#endif
