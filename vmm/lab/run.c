/* SPDX-License-Identifier: MIT */
/*
 * run.c: runs the commands of a lab: this program once more, or the guest under QEMU.
 */
#define _GNU_SOURCE /* memfd_create */
#include "base/escape.h"
#include "bench/bench.h"
#include "lab/lab.h"
#include "script/script.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM       "/proc/self/exe"
#define ARGUMENTS_MAX 32
#define QEMU_MEMORY   (256ull << 20)

/* Files in memory: standard input, output and error of the command. */
struct files {
	int fds[3];
};

static int files_open(struct files *files, const char *script, struct error *error)
{
	size_t length = strlen(script);
	bool open = true;

	for (int i = 0; i < 3; i++) {
		files->fds[i] = memfd_create("kvmap-lab", MFD_CLOEXEC);
		open &= files->fds[i] >= 0;
	}
	if (!open || write(files->fds[0], script, length) != (ssize_t)length ||
	    lseek(files->fds[0], 0, SEEK_SET) != 0)
		return error_set(error, ERROR_HOST, errno, 0, "cannot make a file in memory");
	return 0;
}

static void files_close(struct files *files)
{
	for (int i = 0; i < 3; i++)
		if (files->fds[i] >= 0)
			close(files->fds[i]);
}

/* The contents of a file in memory, malloc'ed, with a NUL; NULL when memory is out. */
static char *file_text(int fd, size_t *length_out)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = malloc((size_t)size + 1);
	ssize_t got = text ? pread(fd, text, (size_t)size, 0) : -1;

	*length_out = got < 0 ? 0 : (size_t)got;
	if (text)
		text[*length_out] = '\0';
	return text;
}

/* Whether a command knows --timeout: it has a guest of its own. */
static bool has_guest(const char *command, bool has_script)
{
	return has_script || !strcmp(command, "run") || !strcmp(command, "bench");
}

/* kvmap, the words, the script if there is one, and the options of the lab. `words` is cut into its words. */
static void arguments_make(char *words, bool has_script, const struct lab_config *config, char *timeout,
			   char **arguments)
{
	unsigned int count = 0;
	char *rest = NULL;

	arguments[count++] = (char *)"kvmap";
	if (!*words || *words == '-')
		arguments[count++] = (char *)"run";
	for (char *word = strtok_r(words, " ", &rest); word && count < ARGUMENTS_MAX - 8;
	     word = strtok_r(NULL, " ", &rest))
		arguments[count++] = word;
	if (has_script)
		arguments[count++] = (char *)"-";
	arguments[count++] = (char *)"--json";
	if (has_guest(arguments[1], has_script)) {
		arguments[count++] = (char *)"--timeout";
		arguments[count++] = timeout;
		if (config->guest) {
			arguments[count++] = (char *)"--guest";
			arguments[count++] = (char *)config->guest;
		}
	}
	arguments[count] = NULL;
}

/* Runs the command; its exit status, or -1. */
static int spawn(const struct files *files, char **arguments, struct error *error)
{
	posix_spawn_file_actions_t actions;
	int status, result;
	pid_t pid;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "cannot run kvmap");
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&actions, files->fds[i], i);
	result = posix_spawn(&pid, PROGRAM, &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (result != 0)
		return error_set(error, ERROR_HOST, result, 0, "cannot run kvmap");
	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return error_set(error, ERROR_HOST, errno, 0, "cannot wait for kvmap");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_command(const struct lab_config *config, const char *words, const char *script,
		       unsigned int run, struct lab_lines *lines, struct error *error)
{
	char *arguments[ARGUMENTS_MAX], *copy = strdup(words), *output = NULL, *errors = NULL;
	char timeout[16], escaped[400];
	size_t length = 0, ignored;
	struct files files;
	int status = -1;

	snprintf(timeout, sizeof(timeout), "%u", config->timeout_s);
	if (files_open(&files, script, error) == 0 && copy) {
		arguments_make(copy, script[strspn(script, " \n")] != '\0', config, timeout, arguments);
		status = spawn(&files, arguments, error);
		output = file_text(files.fds[1], &length);
		errors = file_text(files.fds[2], &ignored);
	}
	if (status >= 0 && (!output || !errors || !length))
		status = error_set(error, ERROR_HOST, 0, 0, "run %u ended with status %d: %s", run, status,
				   text_escape(errors ? errors : "", errors ? strcspn(errors, "\n") : 0,
					       escaped, sizeof(escaped)));
	if (status >= 0 && lab_lines_add(lines, run, output, length, error) < 0)
		status = -1;
	files_close(&files);
	free(copy);
	free(output);
	free(errors);
	return status;
}

/* {"type":"operation","line":7,"outcome":TEXT,"value":what follows its last colon,"pair_ticks":of a pair} */
static void serial_line(FILE *stream, const char *line, size_t length)
{
	struct json_object *object = json_object_new_object();
	char text[512], *outcome, *value, *next;
	uint32_t number;
	uint64_t ticks;
	int start = 0;

	snprintf(text, sizeof(text), "%.*s", (int)length, line);
	if (sscanf(text, "line %" SCNu32 ": %n", &number, &start) == 1 && start && object) {
		outcome = text + start;
		if (sscanf(outcome, "pair %*[^;]; ticks %*u, of the pairs %" SCNu64, &ticks) == 1)
			json_object_object_add(object, "pair_ticks", json_object_new_uint64(ticks));
		outcome[strcspn(outcome, ";\r")] = '\0';
		for (value = outcome; (next = strstr(value, ": ")); value = next + 2)
			;
		json_object_object_add(object, "type", json_object_new_string("operation"));
		json_object_object_add(object, "line", json_object_new_int((int)number));
		json_object_object_add(object, "outcome", json_object_new_string(outcome));
		json_object_object_add(object, "value", json_object_new_string(value));
		fprintf(stream, "%s\n", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	}
	json_object_put(object);
}

/* Adds the guest's lines on the serial port. */
static int serial_lines(const char *report, unsigned int run, struct lab_lines *lines, struct error *error)
{
	char *json = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&json, &size);
	int result;

	for (const char *at = report; stream && *at; at += strcspn(at, "\n"), at += !!*at)
		serial_line(stream, at, strcspn(at, "\n"));
	if (!stream || fclose(stream) != 0)
		result = error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for the report of run %u", run);
	else
		result = lab_lines_add(lines, run, json, size, error);
	free(json);
	return result;
}

/* The machine is the one that the head of the script states. */
static int run_qemu(const struct lab_config *config, const char *text, unsigned int run,
		    struct lab_lines *lines, struct error *error)
{
	struct bench_config machine = { .program = config->program,
					.memory = QEMU_MEMORY,
					.timeout_ns = config->timeout_s * 1000000000ull };
	struct script *script;
	char *report;
	uint32_t cpus;
	int result;

	if (script_compile("the lab's script", text, strlen(text), &script, NULL, 0, error) < 0)
		return -1;
	machine.policy = script->head.has_policy ? script->head.policy : KVMAP_POLICY_STRICT;
	cpus = script->head.cpus ? script->head.cpus : 1;
	script_destroy(script);
	if (bench_report(&machine, cpus, text, &report, error) < 0)
		return -1;
	result = serial_lines(report, run, lines, error);
	free(report);
	return result;
}

int lab_run(const struct lab_config *config, const char *words, const char *script, unsigned int run,
	    struct lab_lines *lines, int *status_out, struct error *error)
{
	int status = !strcmp(words, "qemu") ? run_qemu(config, script, run, lines, error)
					    : run_command(config, words, script, run, lines, error);

	if (status < 0)
		return -1;
	*status_out = status;
	return 0;
}
