/* SPDX-License-Identifier: MIT */
/*
 * log.h: where the event log lies (kvmap/event_log.h).
 */
#ifndef GUEST_AGENT_LOG_H
#define GUEST_AGENT_LOG_H

#include "kvmap/boot.h"

/* Begins the event log if the boot record requests it. All other CPUs are idle. */
void log_open(const struct kvmap_boot *record);

/* Number of times that a log was full and no host read it, so that records were overwritten. 0: the host reads. */
unsigned long log_overwritten(void);

#endif
