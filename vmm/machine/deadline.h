/* SPDX-License-Identifier: MIT */
/*
 * deadline.h: interrupts the calling thread's KVM_RUN at a given time.
 *
 * A POSIX timer sends SIGRTMIN to this thread. Its handler, which stays installed, sets immediate_exit of the
 * vCPU that the thread runs. Nothing that comes with the signal is used, since any process of the same user
 * may send it: the clock tells whether the deadline has passed. A program that links this library must not
 * use SIGRTMIN.
 */
#ifndef VMM_MACHINE_DEADLINE_H
#define VMM_MACHINE_DEADLINE_H

#include "base/error.h"

#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Interrupts KVM_RUN of the thread that receives it. */
#define DEADLINE_SIGNAL SIGRTMIN

/* Installs the handler and unblocks the signal for this thread. 0, or -1 with errno. */
int deadline_signal_prepare(void);

struct deadline {
	bool armed;
	timer_t timer;
	uint64_t deadline_ns;
	struct kvm_run *run;
};

/* deadline_ns: CLOCK_MONOTONIC; 0: none. A deadline in the past expires at once. */
int deadline_arm(struct deadline *deadline, uint64_t deadline_ns, struct kvm_run *run, struct error *error);

/* Whether the deadline has passed. */
bool deadline_expired(const struct deadline *deadline);

/* Deletes the timer; no late signal changes the run area afterwards. */
void deadline_disarm(struct deadline *deadline);

#endif
