/* SPDX-License-Identifier: MIT */
/*
 * deadline.h: a moment at which the calling thread's KVM_RUN returns, whatever the guest does.
 *
 * A POSIX timer sends SIGRTMIN to this thread; its handler, which stays installed, finds the vCPU's run area
 * in the signal itself and sets immediate_exit. A program that uses kvmap's rooms leaves SIGRTMIN to them.
 */
#ifndef VMM_MACHINE_DEADLINE_H
#define VMM_MACHINE_DEADLINE_H

#include "base/error.h"

#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Interrupts KVM_RUN of the thread that gets it; without a timer's value it does nothing else. */
#define DEADLINE_SIGNAL SIGRTMIN

/* Installs the handler and unblocks the signal for this thread. 0, or -1 with errno. */
int deadline_signal_prepare(void);

struct deadline {
	bool armed;
	timer_t timer;
	struct kvm_run *run;
};

/* deadline_ns: CLOCK_MONOTONIC; 0: none, and nothing is set up. A moment that has passed strikes at once. */
int deadline_arm(struct deadline *deadline, uint64_t deadline_ns, struct kvm_run *run, struct error *error);

/* The moment has come. */
bool deadline_struck(const struct deadline *deadline);

/* The timer is gone, and no late signal of it touches the run area. */
void deadline_disarm(struct deadline *deadline);

#endif
