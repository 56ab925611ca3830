/* SPDX-License-Identifier: MIT */
/*
 * run.c: QEMU's process from its start to its end: the guest's serial port is its standard output, the monitor (QMP) says
 * how the guest ended.
 */
#define _GNU_SOURCE
#include "base/signals.h"
#include "qemu/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_AFTER 20 /* seconds from SIGTERM to SIGKILL */
#define TAIL       4096

struct machine {
	const struct qemu_config *config;
	pid_t child;
	int console, qmp, shared; /* descriptors; -1: closed */
	char said[TAIL];          /* the last line of the monitor */
	size_t said_length;
	char line[TAIL]; /* of the console */
	size_t line_length;
	bool has_panicked, was_reset, was_shut_down, is_late;
	uint64_t end; /* when it is ended; 0: never */
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- the process ---- */

static void keep(int fd)
{
	fcntl(fd, F_SETFD, 0);
}

static void exec_qemu(char **arguments, int console, int qmp, int shared)
{
	int null = open("/dev/null", O_RDONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(console, STDOUT_FILENO) < 0)
		_exit(127); /* of a child process */
	keep(qmp);
	keep(shared);
	execvp(arguments[0], arguments);
	_exit(127); /* of a child process */
}

static int start(struct machine *machine, char **arguments, int console, int qmp, struct error *error)
{
	machine->child = fork();
	if (machine->child < 0)
		return error_set(error, ERROR_HOST, errno, 0, "cannot start a process for QEMU");
	if (machine->child == 0)
		exec_qemu(arguments, console, qmp, machine->shared);
	return 0;
}

/* In the handler of a signal. */
static void end_child(void *context)
{
	kill(((struct machine *)context)->child, SIGTERM);
}

/* ---- what it says ---- */

static void take_said(struct machine *machine, const char *line)
{
	if (strstr(line, "\"GUEST_PANICKED\""))
		machine->has_panicked = true;
	if (!strstr(line, "\"SHUTDOWN\""))
		return;
	machine->was_reset |= strstr(line, "\"guest-reset\"") != NULL;
	machine->was_shut_down |= strstr(line, "\"guest-shutdown\"") != NULL;
	machine->has_panicked |= strstr(line, "\"guest-panic\"") != NULL;
}

static void take_console_line(struct machine *machine, const char *line)
{
	if (strstr(line, "Kernel panic - not syncing"))
		machine->has_panicked = true;
}

/* Collects lines; the end of one that is too long is its own. */
static void collect(struct machine *machine, char *buffer, size_t *length, const char *bytes, size_t size,
		    void (*take)(struct machine *machine, const char *line))
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != '\n' && *length < TAIL - 1) {
			buffer[(*length)++] = bytes[i] ? bytes[i] : ' ';
			continue;
		}
		buffer[*length] = '\0';
		*length = 0;
		take(machine, buffer);
	}
}

/* Reads what is there. False: it is closed. */
static bool read_console(struct machine *machine)
{
	char bytes[4096];
	ssize_t size = read(machine->console, bytes, sizeof(bytes));

	if (size < 0)
		return errno == EINTR;
	if (size > 0 && machine->config->console)
		machine->config->console(machine->config->context, bytes, (size_t)size);
	collect(machine, machine->line, &machine->line_length, bytes, (size_t)size, take_console_line);
	return size > 0;
}

static bool read_qmp(struct machine *machine)
{
	char bytes[4096];
	ssize_t size = read(machine->qmp, bytes, sizeof(bytes));

	if (size < 0)
		return errno == EINTR;
	collect(machine, machine->said, &machine->said_length, bytes, (size_t)size, take_said);
	return size > 0;
}

static void end_when_late(struct machine *machine)
{
	if (!machine->end || now_ms() < machine->end)
		return;
	kill(machine->child, machine->is_late || signals_received() ? SIGKILL : SIGTERM);
	machine->is_late |= !signals_received();
	machine->end = now_ms() + KILL_AFTER * 1000;
}

static void follow(struct machine *machine)
{
	bool is_open = true;
	bool was_signalled = false;

	while (is_open) {
		struct pollfd polled[] = { { .fd = machine->console, .events = POLLIN },
					   { .fd = machine->qmp, .events = POLLIN } };

		if (signals_received() && !was_signalled) {
			was_signalled = true;
			machine->end = now_ms() + KILL_AFTER * 1000;
		}
		end_when_late(machine);
		if (poll(polled, 2, 200) <= 0)
			continue;
		if (polled[1].revents && !read_qmp(machine)) {
			close(machine->qmp);
			machine->qmp = -1;
		}
		if (polled[0].revents)
			is_open = read_console(machine);
	}
	while (machine->qmp >= 0 && read_qmp(machine))
		;
}

/* ---- the end ---- */

static enum qemu_end end_of(const struct machine *machine, const struct qemu_outcome *out)
{
	if (machine->has_panicked)
		return QEMU_PANICKED;
	if (signals_received())
		return QEMU_INTERRUPTED;
	if (machine->is_late)
		return QEMU_TIMED_OUT;
	if (machine->was_reset)
		return QEMU_RESET;
	/* The statuses of isa-debug-exit are odd; QEMU's own for an error is 1, before the guest did anything. */
	if (WIFEXITED(out->status) && WEXITSTATUS(out->status) % 2 && out->shared.ended && out->shared.seq)
		return QEMU_EXITED;
	return machine->was_shut_down ? QEMU_SHUT_DOWN : QEMU_DIED;
}

/* The copy is checked: QEMU's process may have written anything. */
static int take_shared(struct plugin_shared *copy, const void *from, struct error *error)
{
	memcpy(copy, from, sizeof(*copy));
	copy->problem[sizeof(copy->problem) - 1] = '\0';
	if (!copy->began)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "QEMU did not load the plugin; its message is above");
	if (copy->magic != PLUGIN_SHARED_MAGIC || copy->size != sizeof(*copy))
		return error_set(error, ERROR_INPUT, 0, 0, "the plugin is of another version of kvmap");
	if (copy->findings > PLUGIN_FINDINGS_MAX || copy->samples > PLUGIN_SAMPLES)
		return error_set(error, ERROR_HOST, 0, 0, "what the plugin wrote is damaged");
	for (uint32_t i = 0; i < copy->findings; i++) {
		struct plugin_finding *finding = &copy->finding[i];

		if ((unsigned int)finding->is.rule >= TLB_RULE_COUNT || finding->is.debt.level < 1 ||
		    finding->is.debt.level > 5 || finding->used.words > PLUGIN_STACK_WORDS ||
		    finding->changed.words > PLUGIN_STACK_WORDS)
			return error_set(error, ERROR_HOST, 0, 0, "what the plugin wrote is damaged");
	}
	return 0;
}

static int run_machine(struct machine *machine, char **arguments, int console, int qmp, struct error *error)
{
	static const char hello[] = "{\"execute\":\"qmp_capabilities\"}\n";
	struct signals_wake before;

	if (start(machine, arguments, console, qmp, error) < 0)
		return -1;
	close(console);
	close(qmp);
	before = signals_defer(end_child, machine);
	if (machine->config->timeout)
		machine->end = now_ms() + (uint64_t)machine->config->timeout * 1000;
	if (send(machine->qmp, hello, sizeof(hello) - 1, MSG_NOSIGNAL) < 0) {
		close(machine->qmp);
		machine->qmp = -1;
	}
	follow(machine);
	(void)before;
	return 0;
}

static int run_shared(struct machine *machine, struct qemu_arguments *arguments, struct qemu_outcome *out,
		      struct error *error)
{
	int console[2], qmp[2], result;
	const size_t size = sizeof(struct plugin_shared);
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, machine->shared, 0);

	if (bytes == MAP_FAILED || pipe2(console, O_CLOEXEC) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qmp) < 0)
		return error_set(error, ERROR_HOST, errno, 0, "cannot make the channels to QEMU");
	machine->console = console[0];
	machine->qmp = qmp[0];
	result = qemu_arguments_plugin(machine->config, machine->shared, arguments, error);
	if (result == 0)
		result = qemu_arguments_machine(machine->config, qmp[1], arguments, error);
	if (result == 0 && array_push(arguments, NULL) < 0)
		result = error_set(error, ERROR_HOST, 0, 0, "out of memory for the arguments of QEMU");
	if (result == 0)
		result = run_machine(machine, arguments->items, console[1], qmp[1], error);
	if (result == 0) {
		waitpid(machine->child, &out->status, 0);
		result = take_shared(&out->shared, bytes, error);
	}
	munmap(bytes, size);
	return result;
}

int qemu_run(const struct qemu_config *config, struct qemu_outcome *out, struct error *error)
{
	struct machine machine = { .config = config, .console = -1, .qmp = -1 };
	struct qemu_arguments arguments = { 0 };
	char program[4096];
	int result;

	if (qemu_find(program, sizeof(program), error) < 0)
		return -1;
	machine.shared = memfd_create("kvmap-plugin", MFD_CLOEXEC);
	if (machine.shared < 0 || ftruncate(machine.shared, sizeof(struct plugin_shared)) < 0 ||
	    array_push(&arguments, strdup(program)) < 0)
		return error_set(error, ERROR_HOST, errno, 0, "out of memory for QEMU");
	result = run_shared(&machine, &arguments, out, error);
	if (result == 0)
		out->end = end_of(&machine, out);
	if (machine.console >= 0)
		close(machine.console);
	close(machine.shared);
	qemu_arguments_free(&arguments);
	return result;
}
