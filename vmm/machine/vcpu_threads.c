/* SPDX-License-Identifier: MIT */
/*
 * vcpu_threads.c: vcpu_threads_run() starts a round: all threads enter KVM_RUN. The round stops when one of them
 * has an event or the deadline expires; then each thread in KVM_RUN gets immediate_exit and a signal. The round
 * is over when all threads have left KVM_RUN. Two vCPUs may have an event in one round; the next
 * vcpu_threads_run() returns the second event and runs nothing.
 *
 * A hold comes from a thread outside: the round continues, but its threads wait outside KVM_RUN until the
 * release. The deadline moves by the length of the hold.
 *
 * The lock protects everything here and what exits change in the machine. It is released only during KVM_RUN.
 */
#include "machine/vcpu_threads.h"
#include "base/clock.h"
#include "machine/deadline.h"
#include "machine/jitter.h"
#include "machine/machine_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* Bytes. A thread calls little more than an ioctl. */
#define VCPU_THREAD_STACK (64 << 10)

struct vcpu_thread {
	struct vcpu_threads *threads;
	unsigned int cpu;
	pthread_t handle;
	uint64_t round; /* its last round */
	bool in_guest;  /* in KVM_RUN or about to enter it */
	bool has_event;
	struct machine_event event;
	struct jitter jitter;
};

struct vcpu_threads {
	struct machine *machine;
	pthread_mutex_t lock;
	pthread_cond_t go;      /* a round begins, a hold ends, or `quit` is set */
	pthread_cond_t changed; /* `stopping` is set, `out` is 0, or the deadline moved */
	pthread_cond_t left;    /* a thread left KVM_RUN during a hold */
	uint64_t round;
	unsigned int out; /* threads that still take part in the round */
	bool stopping;
	bool held;
	uint64_t held_since, held_ns; /* start of this hold; sum of earlier holds */
	bool quit;
	bool failed; /* KVM_RUN failed; see `error` */
	struct error error;
	unsigned int count; /* created threads */
	struct vcpu_thread items[];
};

/* Makes all threads leave KVM_RUN. */
static void interrupt(struct vcpu_threads *threads)
{
	for (unsigned int i = 0; i < threads->count; i++) {
		struct vcpu_thread *thread = &threads->items[i];

		if (!thread->in_guest)
			continue;
		/* The signal interrupts KVM_RUN; the flag does if it comes before the ioctl. */
		((volatile struct kvm_run *)threads->machine->vcpus[i].run)->immediate_exit = 1;
		pthread_kill(thread->handle, DEADLINE_SIGNAL);
	}
}

/* Ends the round. */
static void stop(struct vcpu_threads *threads)
{
	if (threads->stopping)
		return;
	threads->stopping = true;
	interrupt(threads);
	pthread_cond_broadcast(&threads->go); /* threads that wait for the end of a hold */
	pthread_cond_signal(&threads->changed);
}

static enum kvm_run_result run_once(struct vcpu_thread *thread, struct error *error)
{
	struct vcpu_threads *threads = thread->threads;
	struct kvm_vcpu *vcpu = &threads->machine->vcpus[thread->cpu];
	enum kvm_run_result result;

	((volatile struct kvm_run *)vcpu->run)->immediate_exit = 0;
	thread->in_guest = true;
	pthread_mutex_unlock(&threads->lock);
	jitter_before_run(&thread->jitter);
	/* After immediate_exit was cleared: see vcpu_threads_interrupt(). */
	result = threads->machine->interrupted ? KVM_RUN_INTERRUPTED : kvm_vcpu_run(vcpu, error);
	jitter_after_run(&thread->jitter);
	pthread_mutex_lock(&threads->lock);
	thread->in_guest = false;
	threads->machine->facts.exits++;
	if (threads->held)
		pthread_cond_signal(&threads->left);
	return result;
}

static void run_round(struct vcpu_thread *thread)
{
	struct vcpu_threads *threads = thread->threads;
	struct error error;

	for (;;) {
		while (threads->held && !threads->stopping)
			pthread_cond_wait(&threads->go, &threads->lock);
		if (threads->stopping)
			return;
		switch (run_once(thread, &error)) {
		case KVM_RUN_FAILED:
			if (!threads->failed)
				threads->error = error;
			threads->failed = true;
			stop(threads);
			break;
		case KVM_RUN_EXITED:
			thread->has_event = machine_take_exit(threads->machine, thread->cpu, &thread->event);
			if (thread->has_event)
				stop(threads);
			break;
		case KVM_RUN_INTERRUPTED:
			if (threads->machine->interrupted)
				stop(threads);
			break;
		}
	}
}

static void *thread_main(void *argument)
{
	struct vcpu_thread *thread = argument;
	struct vcpu_threads *threads = thread->threads;

	if (threads->machine->jitter)
		jitter_start(&thread->jitter, threads->machine->jitter, thread->cpu);
	pthread_mutex_lock(&threads->lock);
	for (;;) {
		while (!threads->quit && thread->round == threads->round)
			pthread_cond_wait(&threads->go, &threads->lock);
		if (threads->quit)
			break;
		thread->round = threads->round;
		run_round(thread);
		if (!--threads->out)
			pthread_cond_signal(&threads->changed);
	}
	pthread_mutex_unlock(&threads->lock);
	jitter_stop(&thread->jitter);
	return NULL;
}

/* Takes the first event that was not returned yet. */
static bool event_take(struct vcpu_threads *threads, struct machine_event *event_out)
{
	for (unsigned int i = 0; i < threads->count; i++) {
		if (threads->items[i].has_event) {
			threads->items[i].has_event = false;
			*event_out = threads->items[i].event;
			return true;
		}
	}
	return false;
}

/* The CPU reported with a timeout. */
static unsigned int first_not_halted(const struct vcpu_threads *threads)
{
	struct error ignored;
	uint32_t state;

	for (unsigned int i = 0; i < threads->count; i++)
		if (kvm_vcpu_mp_state(&threads->machine->vcpus[i], &state, &ignored) == 0 &&
		    state == KVM_MP_STATE_RUNNABLE)
			return i;
	return 0;
}

/* Waits until the round is to stop or the deadline may have passed. */
static void wait_for_change(struct vcpu_threads *threads, uint64_t deadline_ns)
{
	uint64_t when_ns = deadline_ns + threads->held_ns;
	const struct timespec when = { .tv_sec = (time_t)(when_ns / 1000000000),
				       .tv_nsec = (long)(when_ns % 1000000000) };

	if (!deadline_ns || threads->held)
		pthread_cond_wait(&threads->changed, &threads->lock);
	else
		pthread_cond_timedwait(&threads->changed, &threads->lock, &when);
}

static void round_run(struct vcpu_threads *threads, uint64_t deadline_ns)
{
	uint64_t start = clock_monotonic_ns(), held = threads->held_ns;

	threads->stopping = threads->failed = false;
	threads->out = threads->count;
	threads->round++;
	pthread_cond_broadcast(&threads->go);
	while (!threads->stopping) {
		wait_for_change(threads, deadline_ns);
		if (deadline_ns && !threads->held && clock_monotonic_ns() >= deadline_ns + threads->held_ns)
			stop(threads);
	}
	while (threads->out)
		pthread_cond_wait(&threads->changed, &threads->lock);
	threads->machine->facts.run_ns += clock_monotonic_ns() - start - (threads->held_ns - held);
}

int vcpu_threads_run(struct vcpu_threads *threads, uint64_t deadline_ns, struct machine_event *event_out,
		     struct error *error)
{
	int result = 0;

	pthread_mutex_lock(&threads->lock);
	if (!event_take(threads, event_out)) {
		round_run(threads, deadline_ns);
		if (threads->failed) {
			*error = threads->error;
			result = -1;
		} else if (!event_take(threads, event_out)) {
			*event_out = (struct machine_event){ .type = threads->machine->interrupted
									     ? MACHINE_INTERRUPTED
									     : MACHINE_TIMEOUT,
							     .cpu = first_not_halted(threads) };
		}
	}
	pthread_mutex_unlock(&threads->lock);
	return result;
}

static bool any_in_guest(const struct vcpu_threads *threads)
{
	for (unsigned int i = 0; i < threads->count; i++)
		if (threads->items[i].in_guest)
			return true;
	return false;
}

/*
 * machine->interrupted is set. A thread about to enter KVM_RUN clears immediate_exit, then reads `interrupted`;
 * one of the two has an effect.
 */
void vcpu_threads_interrupt(struct vcpu_threads *threads)
{
	for (unsigned int i = 0; i < threads->count; i++) {
		((volatile struct kvm_run *)threads->machine->vcpus[i].run)->immediate_exit = 1;
		pthread_kill(threads->items[i].handle, DEADLINE_SIGNAL);
	}
}

void vcpu_threads_hold(struct vcpu_threads *threads)
{
	pthread_mutex_lock(&threads->lock);
	threads->held = true;
	threads->held_since = clock_monotonic_ns();
	interrupt(threads);
	while (any_in_guest(threads))
		pthread_cond_wait(&threads->left, &threads->lock);
	pthread_mutex_unlock(&threads->lock);
}

void vcpu_threads_release(struct vcpu_threads *threads)
{
	pthread_mutex_lock(&threads->lock);
	threads->held = false;
	threads->held_ns += clock_monotonic_ns() - threads->held_since;
	pthread_cond_broadcast(&threads->go);
	pthread_cond_signal(&threads->changed);
	pthread_mutex_unlock(&threads->lock);
}

/* The threads block all other signals, which the caller's threads handle. */
static int start_threads(struct vcpu_threads *threads, unsigned int count)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	int errnum = 0;

	sigfillset(&all);
	sigdelset(&all, DEADLINE_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, VCPU_THREAD_STACK);
	while (!errnum && threads->count < count) {
		struct vcpu_thread *thread = &threads->items[threads->count];

		*thread = (struct vcpu_thread){ .threads = threads, .cpu = threads->count };
		errnum = pthread_create(&thread->handle, &attributes, thread_main, thread);
		threads->count += !errnum;
	}
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return errnum;
}

int vcpu_threads_create(struct machine *machine, struct vcpu_threads **out, struct error *error)
{
	struct vcpu_threads *threads =
		calloc(1, sizeof(*threads) + machine->cpus * sizeof(threads->items[0]));
	pthread_condattr_t monotonic;
	int errnum;

	if (!threads)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	threads->machine = machine;
	pthread_mutex_init(&threads->lock, NULL);
	pthread_cond_init(&threads->go, NULL);
	pthread_cond_init(&threads->left, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&threads->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	errnum = deadline_signal_prepare() < 0 ? errno : start_threads(threads, machine->cpus);
	if (errnum) {
		vcpu_threads_destroy(threads);
		return error_set(error, ERROR_HOST, errnum, 0, "cannot start a thread for each of %u CPUs",
				 machine->cpus);
	}
	*out = threads;
	return 0;
}

void vcpu_threads_destroy(struct vcpu_threads *threads)
{
	if (!threads)
		return;
	pthread_mutex_lock(&threads->lock);
	threads->quit = true;
	pthread_cond_broadcast(&threads->go);
	pthread_mutex_unlock(&threads->lock);
	for (unsigned int i = 0; i < threads->count; i++)
		pthread_join(threads->items[i].handle, NULL);
	pthread_cond_destroy(&threads->changed);
	pthread_cond_destroy(&threads->left);
	pthread_cond_destroy(&threads->go);
	pthread_mutex_destroy(&threads->lock);
	free(threads);
}
