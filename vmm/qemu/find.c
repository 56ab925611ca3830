/* SPDX-License-Identifier: MIT */
/*
 * find.c: which QEMU: that of KVMAP_QEMU, else the system's, else the one that ./dev qemu unpacked beside the build.
 */
#define _GNU_SOURCE
#include "base/data_path.h"
#include "base/escape.h"
#include "qemu/qemu.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERSION_LEAST 10

static void exec_version(const char *program, int out)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0)
		_exit(127); /* of a child process */
	execlp(program, program, "--version", (char *)NULL);
	_exit(127); /* of a child process */
}

/* The major version that the program says it has; 0: it says none. */
static unsigned int version_of(const char *program)
{
	static const char words[] = "QEMU emulator version ";
	char text[200] = "";
	int ends[2], status;
	size_t length = 0;
	ssize_t size;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return 0;
	child = fork();
	if (child == 0)
		exec_version(program, ends[1]);
	close(ends[1]);
	while (child > 0 && length < sizeof(text) - 1 &&
	       (size = read(ends[0], text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)size;
	close(ends[0]);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return 0;
	return strncmp(text, words, sizeof(words) - 1)
		       ? 0
		       : (unsigned int)strtoul(text + sizeof(words) - 1, NULL, 10);
}

int qemu_find(char *out, size_t size, struct error *error)
{
	const char *wanted = getenv("KVMAP_QEMU");
	unsigned int version, system_version = 0;
	char name[256];

	if (!wanted || !*wanted) {
		wanted = NULL;
		system_version = version_of("qemu-system-x86_64");
	}
	if (system_version >= VERSION_LEAST) {
		snprintf(out, size, "qemu-system-x86_64");
		return 0;
	}
	if (wanted && strlen(wanted) < size)
		strcpy(out, wanted);
	else if (data_path_find("../build-qemu/qemu-system-x86_64", out, size, error) < 0)
		return error_set(
			error, ERROR_INPUT, 0, 0,
			system_version ? "qemu-system-x86_64 has version %u, and 10 or newer is needed: "
					 "./dev qemu fetches one, or set KVMAP_QEMU to its path"
				       : "no qemu-system-x86_64 (version %u): install QEMU 10 or newer, run "
					 "./dev qemu, or set KVMAP_QEMU to its path",
			system_version);
	version = version_of(out);
	if (version >= VERSION_LEAST)
		return 0;
	return error_set(error, ERROR_INPUT, 0, 0, "%s is no QEMU of version 10 or newer",
			 text_escape(out, strlen(out), name, sizeof(name)));
}
