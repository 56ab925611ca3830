/* SPDX-License-Identifier: MIT */
/*
 * load.c: a script from a file.
 */
#include "script/compile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRIPT_STANDARD_INPUT "-"
#define SCRIPT_SUFFIX         ".kvs"

#define FILE_MAX (16l << 20) /* bytes; SCRIPT_OPERATIONS_MAX operations fit well */

static int open_failed(const char *path, int errnum, struct error *error)
{
	if (errnum == EACCES || errnum == EPERM)
		return error_set(error, ERROR_PERMISSION, errnum, 0, "%s: the script may not be read", path);
	if (errnum == ENOENT || errnum == ENOTDIR)
		return error_set(error, ERROR_INPUT, errnum, 0, "%s: no such script", path);
	return error_set(error, ERROR_INPUT, errnum, 0, "%s: the script cannot be opened", path);
}

/* O_NONBLOCK: a FIFO must be refused, not waited for. */
static int open_regular(const char *path, size_t *size_out, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char shown[201];
	struct stat status;

	path = path_printable(path, shown, sizeof(shown));
	if (fd < 0)
		return open_failed(path, errno, error);
	if (fstat(fd, &status) < 0) {
		error_set(error, ERROR_HOST, errno, 0, "%s: fstat", path);
	} else if (!S_ISREG(status.st_mode)) {
		error_set(error, ERROR_INPUT, 0, 0, "%s: %s, not a regular file as a script is", path,
			  S_ISDIR(status.st_mode) ? "a directory" : "a device, a pipe or a socket");
	} else if (status.st_size > FILE_MAX) {
		error_set(error, ERROR_INPUT, 0, 0,
			  "%s: %lld bytes; a script has at most %ld MiB (use repeat)", path,
			  (long long)status.st_size, FILE_MAX >> 20);
	} else {
		*size_out = (size_t)status.st_size;
		return fd;
	}
	close(fd);
	return -1;
}

/* Reads at most `size` bytes, fewer if the file ends before. */
static int read_all(int fd, char *text, size_t size, size_t *length_out)
{
	size_t length = 0;

	while (length < size) {
		ssize_t got = read(fd, text + length, size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		length += (size_t)got;
	}
	*length_out = length;
	return 0;
}

static int load_file(const char *path, struct script **out, char *context_out, size_t context_size,
		     struct error *error)
{
	size_t size = 0, length = 0;
	char shown[201];
	char *text;
	int result;
	int fd;

	fd = open_regular(path, &size, error);
	if (fd < 0)
		return -1;
	text = malloc(size + 1);
	if (!text)
		result = error_set(error, ERROR_HOST, ENOMEM, 0, "no memory to read the script");
	else if (read_all(fd, text, size, &length) < 0)
		result = error_set(error, ERROR_HOST, errno, 0, "%s: the script cannot be read",
				   path_printable(path, shown, sizeof(shown)));
	else
		result = script_compile(path, text, length, out, context_out, context_size, error);
	free(text);
	close(fd);
	return result;
}

static int load_standard_input(struct script **out, char *context_out, size_t context_size,
			       struct error *error)
{
	const size_t most = FILE_MAX;
	size_t length = 0;
	char *text = malloc(most + 1);
	int result;

	if (!text)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "no memory to read the script");
	if (read_all(STDIN_FILENO, text, most + 1, &length) < 0)
		result = error_set(error, ERROR_HOST, errno, 0, "standard input: the script cannot be read");
	else if (length > most)
		result = error_set(error, ERROR_INPUT, 0, 0,
				   "standard input: a script has at most %ld MiB (use repeat)",
				   FILE_MAX >> 20);
	else
		result =
			script_compile("standard input", text, length, out, context_out, context_size, error);
	free(text);
	return result;
}

int script_load(const char *path, struct script **out, char *context_out, size_t context_size,
		struct error *error)
{
	if (context_out && context_size)
		context_out[0] = '\0';
	return strcmp(path, SCRIPT_STANDARD_INPUT) != 0
		       ? load_file(path, out, context_out, context_size, error)
		       : load_standard_input(out, context_out, context_size, error);
}

/* Whether the bytes may be the beginning of a script: text, a byte order mark before it or not. */
static bool is_text(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)bytes[i] < 0x20 && (!bytes[i] || !strchr("\t\n\r", bytes[i])))
			return false;
	return length;
}

bool script_is_file(const char *path)
{
	size_t length = strlen(path);
	struct error ignored;
	char head[512];
	bool is_script;
	int fd;

	if (!strcmp(path, SCRIPT_STANDARD_INPUT) || (length > 4 && !strcmp(path + length - 4, SCRIPT_SUFFIX)))
		return true;
	fd = open_regular(path, &length, &ignored);
	if (fd < 0)
		return false;
	is_script = read_all(fd, head, sizeof(head), &length) == 0 && is_text(head, length);
	close(fd);
	return is_script;
}
