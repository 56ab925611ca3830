/* SPDX-License-Identifier: MIT */
/*
 * vcpu_threads.h: runs each vCPU of a machine in a thread of its own. All are started and stopped together, so
 * that a stopped machine is consistent.
 */
#ifndef VMM_MACHINE_VCPU_THREADS_H
#define VMM_MACHINE_VCPU_THREADS_H

#include "machine/machine.h"

struct vcpu_threads;

/* Creates a thread for each vCPU of the machine. None runs yet. */
int vcpu_threads_create(struct machine *machine, struct vcpu_threads **out, struct error *error);

/* Ends the threads; the vCPUs must still exist. NULL is allowed. */
void vcpu_threads_destroy(struct vcpu_threads *threads);

/* As machine_hold() and machine_release(). */
void vcpu_threads_hold(struct vcpu_threads *threads);
void vcpu_threads_release(struct vcpu_threads *threads);

/* As machine_interrupt(), of which it is a part; async-signal-safe. */
void vcpu_threads_interrupt(struct vcpu_threads *threads);

/* As machine_run(). */
int vcpu_threads_run(struct vcpu_threads *threads, uint64_t deadline_ns, struct machine_event *event_out,
		     struct error *error);

#endif
