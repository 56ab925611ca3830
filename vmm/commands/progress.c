/* SPDX-License-Identifier: MIT */
/*
 * progress.c: a thread that prints the phase of base/progress.h every second. It takes no signals.
 */
#include "commands/progress.h"

#include "base/escape.h"
#include "base/progress.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static pthread_t thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change;
static bool running; /* of the main thread: `thread` is to be joined */
static bool ended, shown;

static void show(unsigned int seconds)
{
	char phase[160], escaped[200], line[300];
	struct winsize size;
	size_t columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 20 ? 80 : size.ws_col;

	progress_text(phase, sizeof(phase));
	text_filter(phase, strlen(phase), escaped, sizeof(escaped));
	snprintf(line, sizeof(line), "kvmap: %s, %u s", *phase ? escaped : "at work", seconds);
	fprintf(stderr, "\r\033[K%.*s", (int)columns - 1, line);
	shown = true;
}

static void *show_each_second(void *unused)
{
	struct timespec next;

	(void)unused;
	clock_gettime(CLOCK_MONOTONIC, &next);
	pthread_mutex_lock(&lock);
	for (unsigned int seconds = 1; !ended; seconds++) {
		next.tv_sec++;
		while (!ended && pthread_cond_timedwait(&change, &lock, &next) == 0)
			;
		if (!ended)
			show(seconds);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

void progress_begin(void)
{
	const char *term = getenv("TERM");
	pthread_condattr_t attributes;
	sigset_t all, before;

	if (running || !isatty(STDERR_FILENO) || !term || !*term || !strcmp(term, "dumb"))
		return;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&change, &attributes);
	pthread_condattr_destroy(&attributes);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ended = shown = false;
	running = pthread_create(&thread, NULL, show_each_second, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void progress_end(void)
{
	if (!running)
		return;
	pthread_mutex_lock(&lock);
	ended = true;
	if (shown)
		fputs("\r\033[K", stderr);
	pthread_cond_signal(&change);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	running = false;
}
