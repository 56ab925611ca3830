/* SPDX-License-Identifier: MIT */
/*
 * wait.c: a VM of kvmap that is starting: its process is there, its control socket or its page tables are not.
 */
#include "base/clock.h"
#include "base/progress.h"
#include "base/number.h"
#include "base/signals.h"
#include "control/socket_path.h"
#include "kvmap/claims.h"
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

/* A process that is not older may be one that is about to execute kvmap. */
#define NEW_SECONDS 0.2

/* A variable of kvmap's guest: KVMAP_INSIDE_BOOT until the guest has its page tables and its structures. */
#define INSIDE "agent_inside"

/* Whether the process runs the program that this one runs. */
static bool is_kvmap(uint32_t pid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/exe", pid);
	return stat("/proc/self/exe", &own) == 0 && stat(path, &other) == 0 && own.st_dev == other.st_dev &&
	       own.st_ino == other.st_ino;
}

/* Reads the start of a file of /proc/PID as a string. The number of bytes, 0 at the end of a zombie's; -1: no process. */
static ssize_t read_proc(uint32_t pid, const char *name, char *out, size_t out_size)
{
	char path[64];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	size = read(fd, out, out_size - 1);
	close(fd);
	out[size > 0 ? size : 0] = '\0';
	return size;
}

/* Whether an argument of the process is --control, --hold or --watch, or begins one of them as options may. */
static bool will_listen(uint32_t pid)
{
	char arguments[4096];
	ssize_t size = read_proc(pid, "cmdline", arguments, sizeof(arguments));

	for (const char *at = arguments; size > 0 && at < arguments + size; at += strlen(at) + 1)
		if (!strncmp(at, "--co", 4) || !strncmp(at, "--ho", 4) || !strncmp(at, "--wat", 5))
			return true;
	return false;
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

/*
 * The members of /proc/PID/stat from the state (the third) on, after ") ": the name before may hold any character.
 * NULL: no process. Points into the text.
 */
static const char *read_stat(uint32_t pid, char *text, size_t size)
{
	const char *name_end;

	if (read_proc(pid, "stat", text, size) < 0)
		return NULL;
	name_end = strrchr(text, ')');
	return name_end && name_end[1] ? name_end + 2 : "";
}

/* Whether the process has ended; a zombie has. */
static bool has_ended(uint32_t pid)
{
	char text[256];
	const char *state = read_stat(pid, text, sizeof(text));

	return !state || *state == 'Z';
}

/* Whether the process has begun so lately that its shell may not have executed the program yet. False: not known, too. */
static bool is_new(uint32_t pid)
{
	char text[1024];
	const char *member = read_stat(pid, text, sizeof(text));
	unsigned long long ticks = 0;
	struct timespec now;

	/* The 22nd member is the time of its start, since the system's; the state is the third. */
	for (unsigned int number = 3; member && number < 22; number++)
		member = strchr(member + 1, ' ');
	if (!member || sscanf(member, " %llu", &ticks) != 1 || clock_gettime(CLOCK_BOOTTIME, &now) < 0)
		return false;
	return ((double)now.tv_sec + (double)now.tv_nsec / 1e9) -
		       (double)ticks / (double)sysconf(_SC_CLK_TCK) <
	       NEW_SECONDS;
}

bool source_is_starting(uint32_t pid)
{
	const struct timespec step = { .tv_nsec = STEP_NS };
	char path[128];
	struct error ignored;

	while (control_socket_path_of_pid(pid, path, sizeof(path), &ignored) < 0) {
		if (is_kvmap(pid) && will_listen(pid))
			return true;
		if (has_ended(pid) || !is_new(pid) || process_has_vm((pid_t)pid, &ignored) > 0)
			return false;
		nanosleep(&step, NULL);
	}
	return false;
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

/* Whether the guest has booted, so that its structures are there, as far as this is known of its program. */
static bool is_ready(const struct source *source, const struct view *view, const struct walk_mode *mode)
{
	uint64_t address;
	uint32_t inside;
	struct error ignored;

	if (!source->own_symbols || !symbols_are_own(source->own_symbols) ||
	    !symbols_find(source->own_symbols, INSIDE, &address, NULL))
		return true;
	return walk_read(view, mode, address, &inside, sizeof(inside), &ignored) == 0 &&
	       inside != KVMAP_INSIDE_BOOT;
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
		(source_find_mode(source, view, &cpu, &mode, &ignored) == 0 && is_ready(source, view, &mode));
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
	       clock_monotonic_ns() < end) {
		nanosleep(&step, NULL);
		if (control_client_refresh(source->vm.client, error) < 0)
			return -1;
	}
	return found < 0 ? -1 : 0;
}
