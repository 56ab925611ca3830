/* SPDX-License-Identifier: MIT */
#include "control/socket_path.h"

#include "base/array.h"
#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SUFFIX ".sock"

/* Folders in which the sockets of one user may be. */
#define FOLDERS 3
struct folders {
	char paths[FOLDERS][96];
	unsigned int count;
};

static void add_folder(struct folders *folders, const char *path)
{
	char *to = folders->paths[folders->count];

	if (strlen(path) >= sizeof(folders->paths[0]))
		return;
	for (unsigned int i = 0; i < folders->count; i++)
		if (!strcmp(folders->paths[i], path))
			return;
	memcpy(to, path, strlen(path) + 1);
	folders->count++;
}

/* The folder in XDG_RUNTIME_DIR; its length as of snprintf(), 0: the variable is not set to a path. */
static int runtime_folder(char *out, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	return runtime && runtime[0] == '/' ? snprintf(out, size, "%s/kvmap", runtime) : 0;
}

static int temporary_folder(uid_t user, char *out, size_t size)
{
	return snprintf(out, size, "/tmp/kvmap-%u", user);
}

/* XDG_RUNTIME_DIR is known of this process's user only. */
static struct folders folders_of(uid_t user)
{
	struct folders folders = { 0 };
	char path[256];
	int length = user == geteuid() ? runtime_folder(path, sizeof(path)) : 0;

	if (length && (size_t)length < sizeof(path))
		add_folder(&folders, path);
	snprintf(path, sizeof(path), "/run/user/%u/kvmap", user);
	add_folder(&folders, path);
	temporary_folder(user, path, sizeof(path));
	add_folder(&folders, path);
	return folders;
}

/* Whether this is a folder, not a link to one, to which only `user` and root can write. */
static bool is_private_folder(const char *path, uid_t user)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == user &&
	       !(status.st_mode & (S_IWGRP | S_IWOTH));
}

int control_socket_path_own(char *out, size_t size, struct error *error)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char folder[96];
	int length = runtime_folder(folder, sizeof(folder));

	if (!runtime || !length || !is_private_folder(runtime, geteuid()))
		length = temporary_folder(geteuid(), folder, sizeof(folder));
	if ((size_t)length >= sizeof(folder))
		return error_set(error, ERROR_INPUT, 0, 0,
				 "XDG_RUNTIME_DIR is too long for a socket in it: use --control PATH");
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return error_set(error, ERROR_PERMISSION, errno, 0, "%s: cannot be made", folder);
	if (!is_private_folder(folder, geteuid()))
		return error_set(error, ERROR_PERMISSION, 0, 0,
				 "%s: other users can write there, so no control socket is made there: use "
				 "--control PATH",
				 folder);
	snprintf(out, size, "%s/%d" SUFFIX, folder, getpid());
	return 0;
}

int control_socket_path_link(const char *mine, const char *path, struct error *error)
{
	char *whole = realpath(path, NULL);
	int errnum = 0;

	if (!whole)
		return error_set(error, ERROR_HOST, errno, 0, "%s", path);
	/* A link with this PID is of a process that has ended. */
	unlink(mine);
	if (symlink(whole, mine) < 0)
		errnum = errno;
	free(whole);
	return errnum ? error_set(error, ERROR_PERMISSION, errnum, 0, "%s", mine) : 0;
}

int control_socket_path_of_pid(uint32_t pid, char *out, size_t size, struct error *error)
{
	char path[128];
	struct stat status;
	struct folders folders;

	snprintf(path, sizeof(path), "/proc/%" PRIu32, pid);
	if (stat(path, &status) < 0)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "there is no process %" PRIu32 ": `kvmap ps` lists the VMs", pid);
	folders = folders_of(status.st_uid);
	for (unsigned int i = 0; i < folders.count; i++) {
		snprintf(path, sizeof(path), "%s/%" PRIu32 SUFFIX, folders.paths[i], pid);
		if (is_private_folder(folders.paths[i], status.st_uid) && access(path, F_OK) == 0) {
			snprintf(out, size, "%s", path);
			return 0;
		}
	}
	return error_set(error, ERROR_INPUT, 0, 0,
			 "process %" PRIu32
			 " is no VM that can be inspected: `kvmap run --control auto` starts "
			 "one, `kvmap ps` lists them, --wait waits for one that is starting",
			 pid);
}

bool control_socket_is_stale(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	bool dead;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	/* ENOENT: a link whose socket is gone. */
	dead = connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
	       (errno == ECONNREFUSED || errno == ENOENT);
	close(fd);
	return dead;
}

/* ---- a connection ---- */

static int no_connection(const char *path, int errnum, struct error *error)
{
	struct stat status;

	switch (errnum) {
	case ECONNREFUSED:
		if (stat(path, &status) == 0 && !S_ISSOCK(status.st_mode))
			return error_set(error, ERROR_INPUT, 0, 0,
					 "%s: not a control socket: `kvmap ps` lists the VMs that run", path);
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: the VM that listened there has ended: `kvmap ps` lists those running",
				 path);
	case EACCES:
	case EPERM: return error_set(error, ERROR_PERMISSION, errnum, 0, "%s", path);
	case EPROTOTYPE: return error_set(error, ERROR_INPUT, 0, 0, "%s: not a socket of kvmap", path);
	case EAGAIN: return error_set(error, ERROR_HOST, 0, 0, "%s: the VM does not answer", path);
	default: return error_set(error, ERROR_INPUT, errnum, 0, "%s", path);
	}
}

int control_socket_connect(const char *path, unsigned int seconds, struct error *error)
{
	const struct timeval timeout = { .tv_sec = seconds };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: longer than %zu bytes, which no socket's path is", path,
				 sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(error, ERROR_HOST, errno, 0, "cannot make a socket");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	no_connection(path, errno, error);
	close(fd);
	return -1;
}

/* ---- the list ---- */

struct paths {
	ARRAY_OF(struct control_socket_path);
};

/* "1234.sock"; false for anything else. */
static bool pid_of_name(const char *name, uint32_t *out)
{
	size_t digits = strspn(name, "0123456789");
	uint64_t pid;

	if (!digits || strcmp(name + digits, SUFFIX) != 0 || number_parse(name, digits, &pid) != NUMBER_OK ||
	    pid > INT32_MAX)
		return false;
	*out = (uint32_t)pid;
	return true;
}

static int list_folder(const char *folder, struct paths *paths)
{
	DIR *stream = opendir(folder);
	struct dirent *entry;
	int result = 0;

	if (!stream)
		return 0;
	while (result == 0 && (entry = readdir(stream))) {
		struct control_socket_path path;

		if (!pid_of_name(entry->d_name, &path.pid))
			continue;
		snprintf(path.path, sizeof(path.path), "%s/%" PRIu32 SUFFIX, folder, path.pid);
		result = array_push(paths, path);
	}
	closedir(stream);
	return result;
}

static int compare_paths(const void *a, const void *b)
{
	uint32_t first = ((const struct control_socket_path *)a)->pid,
		 second = ((const struct control_socket_path *)b)->pid;

	return first < second ? -1 : first > second;
}

int control_socket_path_list(struct control_socket_path **out, struct error *error)
{
	struct folders folders = folders_of(geteuid());
	struct paths paths = { 0 };

	for (unsigned int i = 0; i < folders.count; i++) {
		if (is_private_folder(folders.paths[i], geteuid()) &&
		    list_folder(folders.paths[i], &paths) < 0) {
			free(paths.items);
			return error_set(error, ERROR_HOST, 0, 0, "out of memory");
		}
	}
	if (paths.count)
		qsort(paths.items, paths.count, sizeof(paths.items[0]), compare_paths);
	*out = paths.items;
	return (int)paths.count;
}
