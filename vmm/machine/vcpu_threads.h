/* SPDX-License-Identifier: MIT */
/*
 * vcpu_threads.h: the vCPUs of a machine that has several, each in a thread of its own. They run together and stop
 * together, so that whoever looks sees one moment.
 */
#ifndef VMM_MACHINE_VCPU_THREADS_H
#define VMM_MACHINE_VCPU_THREADS_H

#include "machine/machine.h"

struct crew;

/* Threads for all vCPUs of the machine, which stand still. */
int crew_create(struct machine *machine, struct crew **out, struct error *error);

/* Ends the threads; NULL is allowed. The vCPUs must still be there. */
void crew_destroy(struct crew *crew);

/* As machine_hold() and machine_release(). */
void crew_hold(struct crew *crew);
void crew_release(struct crew *crew);

/* As machine_run(). */
int crew_run(struct crew *crew, uint64_t deadline_ns, struct machine_event *event_out, struct error *error);

#endif
