/* SPDX-License-Identifier: MIT */
/*
 * qemu.c: one script under QEMU's TCG. With -icount shift=0 the time-stamp counter advances by one for each
 * instruction, so that the guest counts its own instructions, and every run has the same counts.
 */
#define _GNU_SOURCE /* memfd_create */
#include "base/array.h"
#include "base/escape.h"
#include "bench/internal.h"
#include "kvmap/ports.h"
#include "script/script.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define QEMU "qemu-system-x86_64"

/* The exit status of QEMU when the guest writes `code` to isa-debug-exit. */
#define QEMU_STATUS(code) ((code)*2 + 1)

/* Files in memory, which vanish with this process. QEMU inherits the module. */
struct files {
	int module, output, errors;
};

static int files_open(struct files *files)
{
	files->module = memfd_create("kvmap-module", 0);
	files->output = memfd_create("kvmap-serial", MFD_CLOEXEC);
	files->errors = memfd_create("kvmap-stderr", MFD_CLOEXEC);
	return files->module < 0 || files->output < 0 || files->errors < 0 ? -1 : 0;
}

static void files_close(struct files *files)
{
	int all[] = { files->module, files->output, files->errors };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] >= 0)
			close(all[i]);
}

static int module_write(int fd, const struct bench_machine *machine, const char *text, struct error *error)
{
	struct kvmap_boot boot = { .flags = KVMAP_BOOT_SERIAL | KVMAP_BOOT_TICKS | KVMAP_BOOT_ZEROED |
					    (machine->log ? KVMAP_BOOT_LOG : 0),
				   .policy = machine->policy,
				   .cpus = machine->cpus,
				   .seed = 1 };
	struct script *script;
	void *module;
	size_t size;
	int result;

	if (script_compile("the bench's script", text, strlen(text), &script, NULL, 0, error) < 0)
		return -1;
	result = script_module(script, &boot, &module, &size, error);
	script_destroy(script);
	if (result < 0)
		return -1;
	if (write(fd, module, size) != (ssize_t)size)
		result = error_set(error, ERROR_HOST, errno, 0, "no memory for the boot module");
	free(module);
	return result;
}

static int spawn(const struct bench_config *config, unsigned int cpu_count, const struct files *files,
		 pid_t *pid_out)
{
	char module[40], memory[40], cpus[20];
	char *arguments[] = {
		(char *)QEMU,
		(char *)"-accel",
		(char *)"tcg,thread=single",
		(char *)"-icount",
		(char *)"shift=0,sleep=off",
		(char *)"-machine",
		(char *)"pc",
		(char *)"-smp",
		cpus,
		(char *)"-m",
		memory,
		(char *)"-nodefaults",
		(char *)"-no-reboot",
		(char *)"-display",
		(char *)"none",
		(char *)"-monitor",
		(char *)"none",
		(char *)"-serial",
		(char *)"stdio",
		(char *)"-device",
		(char *)"isa-debug-exit,iobase=0xf4,iosize=4",
		(char *)"-kernel",
		(char *)config->program,
		(char *)"-initrd",
		module,
		NULL,
	};
	posix_spawn_file_actions_t actions;
	int result;

	snprintf(module, sizeof(module), "/proc/self/fd/%d", files->module);
	snprintf(cpus, sizeof(cpus), "%u", cpu_count);
	snprintf(memory, sizeof(memory), "%" PRIu64 "M", config->memory >> 20);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, files->output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, files->errors, STDERR_FILENO);
	result = posix_spawnp(pid_out, QEMU, &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	return result;
}

/* Waits for QEMU, and kills it after the time-out: ERROR_HOST. *status_out is that of wait(). */
static int wait_for(pid_t pid, uint64_t timeout_ns, int *status_out, struct error *error)
{
	struct pollfd ended = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	bool in_time = ended.fd >= 0 && poll(&ended, 1, (int)(timeout_ns / 1000000)) == 1;

	if (!in_time)
		kill(pid, SIGKILL);
	if (ended.fd >= 0)
		close(ended.fd);
	if (waitpid(pid, status_out, 0) != pid || !in_time)
		return error_set(error, ERROR_HOST, 0, 0,
				 "%s was stopped after %" PRIu64 " s: more time with --timeout SECONDS", QEMU,
				 timeout_ns / 1000000000);
	return 0;
}

/* The contents of a file in memory as text, malloc'ed; NULL when memory is out. */
static char *file_text(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = malloc((size_t)size + 1);
	ssize_t got = text ? pread(fd, text, (size_t)size, 0) : -1;

	if (text)
		text[got < 0 ? 0 : got] = '\0';
	return text;
}

/* The number after `label` in the report; 0 if it has none. */
static uint64_t total_of(const char *report, const char *label)
{
	const char *at = strstr(report, label);

	return at ? strtoull(at + strlen(label), NULL, 10) : 0;
}

static int report_read(const char *report, struct bench_run *out, struct error *error)
{
	for (const char *at = report; at && *at; at = strchr(at, '\n'), at += !!at) {
		struct bench_block block;
		struct bench_pair pair;

		if (sscanf(at,
			   "line %" SCNu32 ": pair %*[^,], times %" SCNu64
			   "; ticks %*u, of the pairs %" SCNu64 ", of the worst single operation %" SCNu64
			   ", beyond its own pages %" SCNu64,
			   &pair.line, &pair.count, &pair.ticks, &pair.worst, &pair.beyond) == 5 &&
		    pair.count && array_push(&out->pairs, pair) < 0)
			return error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for the guest's report");
		if (sscanf(at,
			   "line %" SCNu32 ": end of parallel: ticks %" SCNu64 ", locks %" SCNu64
			   ", contended %" SCNu64 ", rounds %" SCNu64 ", interrupts %" SCNu64
			   ", pages flushed %" SCNu64,
			   &block.line, &block.ticks, &block.locks, &block.contended, &block.rounds,
			   &block.interrupts, &block.pages) == 7 &&
		    array_push(&out->blocks, block) < 0)
			return error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for the guest's report");
	}
	out->frees = total_of(report, ", frees ");
	out->flush_full = total_of(report, ", flush_full ");
	out->flush_range = total_of(report, ", flush_range ");
	out->flush_pages = total_of(report, ", flush_pages ");
	out->purged_pages = total_of(report, ", pages_purged ");
	out->interrupts = total_of(report, "TLB shootdown IPIs ");
	return 0;
}

/* The error of a QEMU that did not end as it should: the guest's message, else QEMU's own. */
static int run_failed(int status, char *report, char *errors, struct error *error)
{
	char *line = strstr(report, "REFUSED"), escaped[400];
	const char *text;

	if (!line)
		line = strstr(report, ": refused: ");
	if (!line)
		line = strstr(report, "kvmap guest: cannot boot");
	if (!line)
		line = strstr(report, "oops: ");
	while (line && line > report && line[-1] != '\n')
		line--;
	text = line ? line : errors;
	text = text_escape(text, strcspn(text, "\r\n"), escaped, sizeof(escaped));
	if (line)
		return error_set(error, ERROR_GUEST, 0, 0, "under %s the guest says: %s", QEMU, text);
	if (WIFSIGNALED(status))
		return error_set(error, ERROR_HOST, 0, 0, "%s was killed by signal %d", QEMU,
				 WTERMSIG(status));
	return error_set(error, ERROR_HOST, 0, 0, "%s ended with status %d: %s", QEMU, WEXITSTATUS(status),
			 *text ? text : "no message");
}

static int run_script(const struct bench_config *config, unsigned int cpus, const struct files *files,
		      struct bench_run *out, struct error *error)
{
	char *report, *errors;
	int status, result;
	pid_t pid;

	result = spawn(config, cpus, files, &pid);
	if (result == ENOENT)
		return error_set(error, ERROR_HOST, 0, 0,
				 "bench needs %s, which is not in PATH: install QEMU for x86 "
				 "(Debian: qemu-system-x86)",
				 QEMU);
	if (result != 0)
		return error_set(error, ERROR_HOST, result, 0, "cannot run %s", QEMU);
	if (wait_for(pid, config->timeout_ns, &status, error) < 0)
		return -1;
	report = file_text(files->output);
	errors = file_text(files->errors);
	if (!report || !errors)
		result = error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for the guest's report");
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != QEMU_STATUS(KVMAP_EXIT_OK))
		result = run_failed(status, report, errors, error);
	else
		result = report_read(report, out, error);
	free(errors);
	if (result == 0)
		out->report = report;
	else
		free(report);
	return result;
}

int bench_qemu(const struct bench_config *config, const struct bench_machine *machine, const char *script,
	       struct bench_run *out, struct error *error)
{
	struct bench_run measured = { 0 };
	struct files files;
	int result;

	if (files_open(&files) < 0)
		result = error_set(error, ERROR_HOST, errno, 0, "cannot make a file in memory");
	else if ((result = module_write(files.module, machine, script, error)) == 0)
		result = run_script(config, machine->cpus, &files, &measured, error);
	files_close(&files);
	if (result < 0)
		bench_run_destroy(&measured);
	else
		*out = measured;
	return result;
}

void bench_run_destroy(struct bench_run *run)
{
	free(run->pairs.items);
	free(run->blocks.items);
	free(run->report);
	run->report = NULL;
	run->pairs.items = NULL;
	run->blocks.items = NULL;
}

int bench_report(const struct bench_config *config, uint32_t cpus, const char *script, char **report_out,
		 struct error *error)
{
	const struct bench_machine machine = { .cpus = cpus, .policy = config->policy };
	struct bench_run run = { 0 };

	if (bench_qemu(config, &machine, script, &run, error) < 0)
		return -1;
	*report_out = run.report;
	run.report = NULL;
	bench_run_destroy(&run);
	return 0;
}
