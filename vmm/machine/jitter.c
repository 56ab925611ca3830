/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* gettid, SIGEV_THREAD_ID */
#include "machine/jitter.h"
#include "machine/deadline.h"

#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* Nanoseconds: sleeps, of one KVM_RUN in two, and runs are up to these. */
#define SLEEP_MAX 400000u
#define RUN_MIN   20000u
#define RUN_MAX   3000000u

static uint64_t pick(struct jitter *jitter, uint64_t below)
{
	jitter->random = jitter->random * 6364136223846793005u + 1442695040888963407u;
	return (jitter->random >> 33) % below;
}

bool jitter_start(struct jitter *jitter, uint64_t seed, unsigned int cpu)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = DEADLINE_SIGNAL };

	event.sigev_notify_thread_id = gettid();
	*jitter = (struct jitter){ .random = seed + ((uint64_t)cpu << 56) };
	jitter->on = timer_create(CLOCK_MONOTONIC, &event, &jitter->timer) == 0;
	return jitter->on;
}

void jitter_stop(struct jitter *jitter)
{
	if (jitter->on)
		timer_delete(jitter->timer);
	jitter->on = false;
}

/* nanoseconds: 0 disarms. The signal comes again, in case it was too early to end KVM_RUN. */
static void set_timer(struct jitter *jitter, uint64_t nanoseconds)
{
	const struct timespec after = { .tv_nsec = (long)nanoseconds };
	const struct itimerspec when = { .it_value = after, .it_interval = after };

	timer_settime(jitter->timer, 0, &when, NULL);
}

void jitter_before_run(struct jitter *jitter)
{
	struct timespec sleep = { 0 };

	if (!jitter->on)
		return;
	if (pick(jitter, 2))
		sleep.tv_nsec = (long)pick(jitter, SLEEP_MAX);
	/* A signal that ends it is one that ends KVM_RUN, too. */
	if (sleep.tv_nsec)
		nanosleep(&sleep, NULL);
	set_timer(jitter, RUN_MIN + pick(jitter, RUN_MAX - RUN_MIN));
}

void jitter_after_run(struct jitter *jitter)
{
	if (jitter->on)
		set_timer(jitter, 0);
}
