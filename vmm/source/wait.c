/* SPDX-License-Identifier: MIT */
/*
 * wait.c: a VM of kvmap that is starting: its process is there, its control socket or its page tables are not.
 */
#include "base/clock.h"
#include "base/progress.h"
#include "base/number.h"
#include "base/signals.h"
#include "control/socket_path.h"
#include "source/internal.h"
#include "stage2/process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAIT_NS (60ull * 1000000000)
#define STEP_NS 5000000

/* Whether the process runs the program that this one runs. */
static bool is_kvmap(uint32_t pid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/exe", pid);
	return stat("/proc/self/exe", &own) == 0 && stat(path, &other) == 0 && own.st_dev == other.st_dev &&
	       own.st_ino == other.st_ino;
}

/* Whether an argument of the process is --control or --hold, or begins one of them as options may. */
static bool will_listen(uint32_t pid)
{
	char path[64], arguments[4096];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size = read(fd, arguments, sizeof(arguments) - 1);
	close(fd);
	if (size <= 0)
		return false;
	arguments[size] = '\0';
	for (const char *at = arguments; at < arguments + size; at += strlen(at) + 1)
		if (!strncmp(at, "--co", 4) || !strncmp(at, "--ho", 4) || !strncmp(at, "--wat", 5))
			return true;
	return false;
}

bool source_is_starting(uint32_t pid)
{
	char path[128];
	struct error ignored;

	return control_socket_path_of_pid(pid, path, sizeof(path), &ignored) < 0 && is_kvmap(pid) &&
	       will_listen(pid);
}

bool source_is_pid(const char *name, uint32_t *out)
{
	uint64_t pid;

	if (strspn(name, "0123456789") != strlen(name) ||
	    number_parse(name, strlen(name), &pid) != NUMBER_OK || pid > INT32_MAX)
		return false;
	*out = (uint32_t)pid;
	return true;
}

/* Whether the process has ended; a zombie has. */
static bool has_ended(uint32_t pid)
{
	char path[64], text[256], *state;
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	size = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[size > 0 ? size : 0] = '\0';
	state = strrchr(text, ')');
	return state && strlen(state) > 2 && state[2] == 'Z';
}

/* Whether there is nothing more to wait for: a socket, a VM of another program, no process, or one that this user may not
 * inspect. */
static bool is_there(const char *name)
{
	char path[128];
	struct error ignored;
	struct stat status;
	uint32_t pid;

	if (!source_is_pid(name, &pid))
		return stat(name, &status) == 0 &&
		       !(S_ISSOCK(status.st_mode) && control_socket_is_stale(name));
	/* A socket has its name before it can be connected to. */
	if (control_socket_path_of_pid(pid, path, sizeof(path), &ignored) == 0 &&
	    !control_socket_is_stale(path))
		return true;
	return has_ended(pid) || (!is_kvmap(pid) && process_has_vm((pid_t)pid, &ignored));
}

void source_wait_for_socket(const char *name)
{
	const struct timespec step = { .tv_nsec = STEP_NS };
	uint64_t end = clock_monotonic_ns() + WAIT_NS;

	progress_set("waiting for %s", name);
	while (!is_there(name) && !signals_received() && clock_monotonic_ns() < end)
		nanosleep(&step, NULL);
}

/* Whether the guest has the page tables that are wanted, or never will. -1: its VM cannot be read. */
static int has_tables(const struct source *source, struct error *error)
{
	struct control_client *client = source->vm.client;
	const struct view *view;
	struct control_pause_time time;
	struct walk_mode mode;
	struct error ignored;
	unsigned int cpu;
	bool found;

	if (control_client_pause(client, &view, error) < 0)
		return -1;
	found = (source->one_cpu && source->cpu >= view->cpu_count) ||
		source_find_mode(source, view, &cpu, &mode, &ignored) == 0;
	if (control_client_resume(client, &time, error) < 0)
		return -1;
	/* A VM that has ended is as it will be. */
	return found || !time.vm_ns;
}

int source_wait_for_tables(const struct source *source, struct error *error)
{
	const struct timespec step = { .tv_nsec = STEP_NS };
	uint64_t end = clock_monotonic_ns() + WAIT_NS;
	int found;

	if (source->one_cpu)
		progress_set("waiting for page tables of CPU %u", source->cpu);
	else
		progress_set("waiting for page tables");
	while (!(found = has_tables(source, error)) &&
	       control_client_hello(source->vm.client)->state != CONTROL_AT_END && !signals_received() &&
	       clock_monotonic_ns() < end)
		nanosleep(&step, NULL);
	return found < 0 ? -1 : 0;
}
