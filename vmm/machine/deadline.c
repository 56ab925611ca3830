/* SPDX-License-Identifier: MIT */
/*
 * deadline.c: the timer that stops a guest.
 */
#define _GNU_SOURCE /* gettid, SIGEV_THREAD_ID */
#include "machine/deadline.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* glibc names this member only from 2.38 on. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* The vCPU of the armed deadline of this thread; NULL: none. */
static _Thread_local volatile struct kvm_run *volatile armed_run;

static void deadline_handle(int number)
{
	volatile struct kvm_run *run = armed_run;

	(void)number;
	if (run)
		run->immediate_exit = 1;
}

/* Unblocks the signal: the parent process may have blocked it. */
int deadline_signal_prepare(void)
{
	struct sigaction action = { .sa_handler = deadline_handle };
	sigset_t set;

	sigemptyset(&action.sa_mask);
	if (sigaction(DEADLINE_SIGNAL, &action, NULL) < 0)
		return -1;
	sigemptyset(&set);
	sigaddset(&set, DEADLINE_SIGNAL);
	errno = pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return errno ? -1 : 0;
}

int deadline_arm(struct deadline *deadline, uint64_t deadline_ns, struct kvm_run *run, struct error *error)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = DEADLINE_SIGNAL };
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(deadline_ns / 1000000000),
						 .tv_nsec = (long)(deadline_ns % 1000000000) } };

	*deadline = (struct deadline){ .run = run, .deadline_ns = deadline_ns };
	if (!deadline_ns)
		return 0;
	event.sigev_notify_thread_id = gettid();
	if (deadline_signal_prepare() < 0 || timer_create(CLOCK_MONOTONIC, &event, &deadline->timer) < 0)
		return error_set(error, ERROR_HOST, errno, 0, "cannot make the timer of the time limit");
	deadline->armed = true;
	armed_run = run;
	if (timer_settime(deadline->timer, TIMER_ABSTIME, &when, NULL) == 0)
		return 0;
	error_set(error, ERROR_HOST, errno, 0, "cannot set the timer of the time limit");
	deadline_disarm(deadline);
	return -1;
}

bool deadline_expired(const struct deadline *deadline)
{
	volatile struct kvm_run *run = deadline->run;

	if (!deadline->armed || !run->immediate_exit)
		return false;
	/* First, so that the timer's signal, if it comes now, has an effect. */
	run->immediate_exit = 0;
	return clock_monotonic_ns() >= deadline->deadline_ns;
}

void deadline_disarm(struct deadline *deadline)
{
	if (!deadline->armed)
		return;
	/* A pending signal is delivered to this thread before timer_delete() returns. */
	timer_delete(deadline->timer);
	armed_run = NULL;
	deadline->run->immediate_exit = 0;
	deadline->armed = false;
}
