/* SPDX-License-Identifier: MIT */
#include "base/signals.h"

#include "base/escape.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX  8
#define MAPPED_MAX 8

static const struct {
	int number;
	const char *name;
} ending[] = {
	{ SIGINT, "SIGINT" },   { SIGTERM, "SIGTERM" }, { SIGHUP, "SIGHUP" },
	{ SIGQUIT, "SIGQUIT" }, { SIGPIPE, "SIGPIPE" }, { SIGALRM, "SIGALRM" },
	{ SIGXCPU, "SIGXCPU" }, { SIGUSR1, "SIGUSR1" }, { SIGUSR2, "SIGUSR2" },
};

/* The handlers read an entry only while `used`, which is written last. */
static struct {
	volatile sig_atomic_t used;
	int folder;
	char name[PATH_MAX];
} files[FILES_MAX];

static struct {
	volatile sig_atomic_t used;
	int fd;
	uint64_t size;
	char name[300]; /* escaped */
} mapped[MAPPED_MAX];

static volatile sig_atomic_t deferred, received;
static void (*volatile early_function)(const char *name);
static void (*volatile wake_function)(void *context);
static void *volatile wake_context;

const char *signals_name(int number)
{
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (ending[i].number == number)
			return ending[i].name;
	return "a signal";
}

static void files_remove(void)
{
	for (size_t i = 0; i < FILES_MAX; i++)
		if (files[i].used)
			unlinkat(files[i].folder, files[i].name, 0);
}

/* Kills this process by the signal. */
static void die(int number)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t set;

	files_remove();
	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void handle_ending(int number)
{
	int before = errno;
	void (*wake)(void *context) = wake_function;
	void (*early)(const char *name) = early_function;

	if (!deferred || received) {
		if (!deferred && early)
			early(signals_name(number));
		die(number);
		return;
	}
	received = number;
	if (wake)
		wake(wake_context);
	errno = before;
}

static void (*shortened_function)(const char *name);
static struct sigaction before_bus;

/* An access beyond the end of a mapped file. Other errors end the process as without this handler. */
static void handle_bus(int number)
{
	struct stat status;

	for (size_t i = 0; i < MAPPED_MAX; i++) {
		if (!mapped[i].used || fstat(mapped[i].fd, &status) < 0 ||
		    (uint64_t)status.st_size >= mapped[i].size)
			continue;
		files_remove();
		shortened_function(mapped[i].name);
	}
	sigaction(number, &before_bus, NULL);
}

/* SIGXFSZ of RLIMIT_FSIZE: the write fails with EFBIG. Not SIG_IGN, which programs that are started would inherit. */
static void handle_file_size(int number)
{
	(void)number;
}

void signals_begin(void (*shortened)(const char *name))
{
	struct sigaction action = { .sa_handler = handle_ending, .sa_flags = SA_RESTART }, old;

	shortened_function = shortened;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		if (sigaction(ending[i].number, &action, &old) == 0 && old.sa_handler == SIG_IGN)
			sigaction(ending[i].number, &old, NULL);
	}
	action.sa_handler = handle_file_size;
	sigaction(SIGXFSZ, &action, NULL);
	action.sa_handler = handle_bus;
	sigaction(SIGBUS, &action, &before_bus);
}

void signals_defer(void (*wake)(void *context), void *context)
{
	wake_function = NULL;
	wake_context = context;
	wake_function = wake;
	deferred = true;
}

void signals_early(void (*early)(const char *name))
{
	early_function = early;
}

int signals_received(void)
{
	return received;
}

void signals_forget(void)
{
	received = 0;
}

void signals_die(void)
{
	if (received)
		die(received);
}

int signals_file_remove(int folder, const char *name)
{
	size_t length = strlen(name);

	for (int i = 0; i < FILES_MAX && length < sizeof(files[i].name); i++) {
		if (files[i].used)
			continue;
		files[i].folder = folder;
		memcpy(files[i].name, name, length + 1);
		files[i].used = true;
		return i;
	}
	return -1;
}

int signals_file_create(int folder, const char *name, int *index_out)
{
	sigset_t all, before;
	int fd, errnum;

	/* No signal comes between the two. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	errnum = errno;
	*index_out = fd < 0 ? -1 : signals_file_remove(folder, name);
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = errnum;
	return fd;
}

void signals_file_keep(int index)
{
	if (index >= 0)
		files[index].used = false;
}

int signals_mapped(int fd, uint64_t size, const char *name)
{
	for (int i = 0; i < MAPPED_MAX; i++) {
		if (mapped[i].used)
			continue;
		mapped[i].fd = fd;
		mapped[i].size = size;
		text_escape(name, strlen(name), mapped[i].name, sizeof(mapped[i].name));
		mapped[i].used = true;
		return i;
	}
	return -1;
}

void signals_unmapped(int index)
{
	if (index >= 0)
		mapped[index].used = false;
}
