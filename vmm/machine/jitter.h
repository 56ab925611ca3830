/* SPDX-License-Identifier: MIT */
/*
 * jitter.h: delays of a vCPU's thread at pseudo-random times, so that CPUs meet in other orders. Before each KVM_RUN,
 * which is also after each doorbell, the thread may sleep; a timer of the host then ends that KVM_RUN. A seed
 * determines these times, not what the CPUs do in them.
 */
#ifndef VMM_MACHINE_JITTER_H
#define VMM_MACHINE_JITTER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Owned by the thread. */
struct jitter {
	bool on;
	uint64_t random;
	timer_t timer;
};

/* For the calling thread, which must have DEADLINE_SIGNAL unblocked. False: the host has no timer. */
bool jitter_start(struct jitter *jitter, uint64_t seed, unsigned int cpu);
void jitter_stop(struct jitter *jitter);

/* Before and after KVM_RUN. Without jitter_start() they do nothing. */
void jitter_before_run(struct jitter *jitter);
void jitter_after_run(struct jitter *jitter);

#endif
