/* SPDX-License-Identifier: MIT */
/*
 * vcpu_threads.c: a round begins when crew_run() lets the members go, and ends when one of them has an event, or the
 * deadline strikes: then each that is in KVM_RUN gets immediate_exit and a signal, and the round is over when
 * all have come back. Two vCPUs may have an event in the same round; the second one's is given out by the
 * next crew_run(), which runs nothing.
 *
 * A hold is another thread's: the round goes on, but its members wait outside KVM_RUN until they are let go.
 * That time is not the guest's: the deadline moves by it.
 *
 * The lock covers everything here and what exits touch in the machine; it is dropped for KVM_RUN alone.
 */
#include "machine/vcpu_threads.h"
#include "machine/deadline.h"
#include "machine/machine_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* A member calls little more than an ioctl. */
#define MEMBER_STACK (64 << 10)

struct member {
	struct crew *crew;
	unsigned int cpu;
	pthread_t thread;
	uint64_t round; /* the last one that it took part in */
	bool in_guest;  /* in KVM_RUN, or about to be */
	bool has_event;
	struct machine_event event;
};

struct crew {
	struct machine *machine;
	pthread_mutex_t lock;
	pthread_cond_t go; /* a round begins, a hold or all is over */
	pthread_cond_t
		changed;      /* the round is to stop, its last member has come back, or the deadline moved */
	pthread_cond_t still; /* a member has left KVM_RUN during a hold */
	uint64_t round;
	unsigned int out; /* members that have not come back from the round */
	bool stopping;
	bool held;
	uint64_t held_since, held_ns; /* of this hold; of all that are over */
	bool quit;
	bool failed; /* KVM_RUN failed, as `error` says */
	struct error error;
	unsigned int count; /* threads that were made */
	struct member members[];
};

/* Everybody leaves KVM_RUN. */
static void interrupt(struct crew *crew)
{
	for (unsigned int i = 0; i < crew->count; i++) {
		struct member *member = &crew->members[i];

		if (!member->in_guest)
			continue;
		/* The signal interrupts KVM_RUN; the flag does if it comes before the ioctl. */
		((volatile struct kvm_run *)crew->machine->vcpus[i].run)->immediate_exit = 1;
		pthread_kill(member->thread, DEADLINE_SIGNAL);
	}
}

/* Everybody comes back. */
static void stop(struct crew *crew)
{
	if (crew->stopping)
		return;
	crew->stopping = true;
	interrupt(crew);
	pthread_cond_broadcast(&crew->go); /* to those that a hold keeps */
	pthread_cond_signal(&crew->changed);
}

static enum kvm_run_result run_once(struct member *member, struct error *error)
{
	struct crew *crew = member->crew;
	struct kvm_vcpu *vcpu = &crew->machine->vcpus[member->cpu];
	enum kvm_run_result result;

	((volatile struct kvm_run *)vcpu->run)->immediate_exit = 0;
	member->in_guest = true;
	pthread_mutex_unlock(&crew->lock);
	result = kvm_vcpu_run(vcpu, error);
	pthread_mutex_lock(&crew->lock);
	member->in_guest = false;
	crew->machine->facts.exits++;
	if (crew->held)
		pthread_cond_signal(&crew->still);
	return result;
}

static void run_round(struct member *member)
{
	struct crew *crew = member->crew;
	struct error error;

	for (;;) {
		while (crew->held && !crew->stopping)
			pthread_cond_wait(&crew->go, &crew->lock);
		if (crew->stopping)
			return;
		switch (run_once(member, &error)) {
		case KVM_RUN_FAILED:
			if (!crew->failed)
				crew->error = error;
			crew->failed = true;
			stop(crew);
			break;
		case KVM_RUN_EXITED:
			member->has_event = machine_take_exit(crew->machine, member->cpu, &member->event);
			if (member->has_event)
				stop(crew);
			break;
		case KVM_RUN_INTERRUPTED: break;
		}
	}
}

static void *member_main(void *argument)
{
	struct member *member = argument;
	struct crew *crew = member->crew;

	pthread_mutex_lock(&crew->lock);
	for (;;) {
		while (!crew->quit && member->round == crew->round)
			pthread_cond_wait(&crew->go, &crew->lock);
		if (crew->quit)
			break;
		member->round = crew->round;
		run_round(member);
		if (!--crew->out)
			pthread_cond_signal(&crew->changed);
	}
	pthread_mutex_unlock(&crew->lock);
	return NULL;
}

/* The first event that nobody was told yet. */
static bool event_take(struct crew *crew, struct machine_event *event_out)
{
	for (unsigned int i = 0; i < crew->count; i++) {
		if (crew->members[i].has_event) {
			crew->members[i].has_event = false;
			*event_out = crew->members[i].event;
			return true;
		}
	}
	return false;
}

/* Who is to be shown when the time is up. */
static unsigned int first_not_halted(const struct crew *crew)
{
	struct error ignored;
	uint32_t state;

	for (unsigned int i = 0; i < crew->count; i++)
		if (kvm_vcpu_mp_state(&crew->machine->vcpus[i], &state, &ignored) == 0 &&
		    state == KVM_MP_STATE_RUNNABLE)
			return i;
	return 0;
}

/* Until the round is to stop, or the deadline may have come. */
static void wait_for_change(struct crew *crew, uint64_t deadline_ns)
{
	uint64_t when_ns = deadline_ns + crew->held_ns;
	const struct timespec when = { .tv_sec = (time_t)(when_ns / 1000000000),
				       .tv_nsec = (long)(when_ns % 1000000000) };

	if (!deadline_ns || crew->held)
		pthread_cond_wait(&crew->changed, &crew->lock);
	else
		pthread_cond_timedwait(&crew->changed, &crew->lock, &when);
}

static void round_run(struct crew *crew, uint64_t deadline_ns)
{
	uint64_t start = machine_now(), held = crew->held_ns;

	crew->stopping = crew->failed = false;
	crew->out = crew->count;
	crew->round++;
	pthread_cond_broadcast(&crew->go);
	while (!crew->stopping) {
		wait_for_change(crew, deadline_ns);
		if (deadline_ns && !crew->held && machine_now() >= deadline_ns + crew->held_ns)
			stop(crew);
	}
	while (crew->out)
		pthread_cond_wait(&crew->changed, &crew->lock);
	crew->machine->facts.run_ns += machine_now() - start - (crew->held_ns - held);
}

int crew_run(struct crew *crew, uint64_t deadline_ns, struct machine_event *event_out, struct error *error)
{
	int result = 0;

	pthread_mutex_lock(&crew->lock);
	if (!event_take(crew, event_out)) {
		round_run(crew, deadline_ns);
		if (crew->failed) {
			*error = crew->error;
			result = -1;
		} else if (!event_take(crew, event_out)) {
			*event_out = (struct machine_event){ .type = MACHINE_TIMEOUT,
							     .cpu = first_not_halted(crew) };
		}
	}
	pthread_mutex_unlock(&crew->lock);
	return result;
}

static bool anybody_in_guest(const struct crew *crew)
{
	for (unsigned int i = 0; i < crew->count; i++)
		if (crew->members[i].in_guest)
			return true;
	return false;
}

void crew_hold(struct crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	crew->held = true;
	crew->held_since = machine_now();
	interrupt(crew);
	while (anybody_in_guest(crew))
		pthread_cond_wait(&crew->still, &crew->lock);
	pthread_mutex_unlock(&crew->lock);
}

void crew_release(struct crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	crew->held = false;
	crew->held_ns += machine_now() - crew->held_since;
	pthread_cond_broadcast(&crew->go);
	pthread_cond_signal(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
}

/* The members' threads take no other signal: those are the caller's. */
static int threads_start(struct crew *crew, unsigned int count)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	int errnum = 0;

	sigfillset(&all);
	sigdelset(&all, DEADLINE_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, MEMBER_STACK);
	while (!errnum && crew->count < count) {
		struct member *member = &crew->members[crew->count];

		*member = (struct member){ .crew = crew, .cpu = crew->count };
		errnum = pthread_create(&member->thread, &attributes, member_main, member);
		crew->count += !errnum;
	}
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return errnum;
}

int crew_create(struct machine *machine, struct crew **out, struct error *error)
{
	struct crew *crew = calloc(1, sizeof(*crew) + machine->cpus * sizeof(crew->members[0]));
	pthread_condattr_t monotonic;
	int errnum;

	if (!crew)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	crew->machine = machine;
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->go, NULL);
	pthread_cond_init(&crew->still, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&crew->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	errnum = deadline_signal_prepare() < 0 ? errno : threads_start(crew, machine->cpus);
	if (errnum) {
		crew_destroy(crew);
		return error_set(error, ERROR_HOST, errnum, 0, "cannot start a thread for each of %u CPUs",
				 machine->cpus);
	}
	*out = crew;
	return 0;
}

void crew_destroy(struct crew *crew)
{
	if (!crew)
		return;
	pthread_mutex_lock(&crew->lock);
	crew->quit = true;
	pthread_cond_broadcast(&crew->go);
	pthread_mutex_unlock(&crew->lock);
	for (unsigned int i = 0; i < crew->count; i++)
		pthread_join(crew->members[i].thread, NULL);
	pthread_cond_destroy(&crew->changed);
	pthread_cond_destroy(&crew->still);
	pthread_cond_destroy(&crew->go);
	pthread_mutex_destroy(&crew->lock);
	free(crew);
}
