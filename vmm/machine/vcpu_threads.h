/* SPDX-License-Identifier: MIT */
/*
 * vcpu_threads.h: the vCPUs of a machine that has several, each in a thread of its own. They run together and stop
 * together, so that whoever looks sees one moment.
 */
#ifndef VMM_MACHINE_VCPU_THREADS_H
#define VMM_MACHINE_VCPU_THREADS_H

#include "machine/machine.h"

struct vcpu_threads;

/* Threads for all vCPUs of the machine, which stand still. */
int vcpu_threads_create(struct machine *machine, struct vcpu_threads **out, struct error *error);

/* Ends the threads; NULL is allowed. The vCPUs must still be there. */
void vcpu_threads_destroy(struct vcpu_threads *threads);

/* As machine_hold() and machine_release(). */
void vcpu_threads_hold(struct vcpu_threads *threads);
void vcpu_threads_release(struct vcpu_threads *threads);

/* As machine_run(). */
int vcpu_threads_run(struct vcpu_threads *threads, uint64_t deadline_ns, struct machine_event *event_out,
		     struct error *error);

#endif
