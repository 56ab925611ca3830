/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_PATH */
#include "base/file_target.h"

#include "base/escape.h"
#include "base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel's limit */

#define START_SIZE 64 /* bytes of an old file that say what it is */

#define TRIES_MAX 100 /* names of the new file */

static int failed(const struct file_target *target, int errnum, struct error *error)
{
	enum error_kind kind = ERROR_HOST;
	char name[300];

	if (errnum == EACCES || errnum == EPERM || errnum == EROFS)
		kind = ERROR_PERMISSION;
	else if (errnum == ENOENT || errnum == ENOTDIR || errnum == ENAMETOOLONG || errnum == ELOOP)
		kind = ERROR_INPUT;
	return error_set(error, kind, errnum, 0, "%s: the %s was not written",
			 text_escape(target->path, strlen(target->path), name, sizeof(name)),
			 target->kind->noun);
}

static int refuse(const struct file_target *target, const char *text, struct error *error)
{
	char name[300];

	return error_set(error, ERROR_INPUT, 0, 0, "%s: %s",
			 text_escape(target->path, strlen(target->path), name, sizeof(name)), text);
}

static int refuse_special(const struct file_target *target, struct error *error)
{
	char text[80];

	snprintf(text, sizeof(text), "not a regular file, so no %s is written there", target->kind->noun);
	return refuse(target, text, error);
}

static int refuse_other(const struct file_target *target, struct error *error)
{
	char text[120];

	snprintf(text, sizeof(text), "exists and is not %s, so it is not replaced: remove it first",
		 target->kind->kind);
	return refuse(target, text, error);
}

/* Opens the folder of `path`, which is relative to target->folder, and replaces it. 0, or an errno. */
static int folder_enter(struct file_target *target, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char folder[PATH_MAX];
	int fd;

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return EISDIR;
	if (strlen(name) >= sizeof(target->name) ||
	    (size_t)snprintf(folder, sizeof(folder), "%.*s%s", (int)(name - path), path, slash ? "" : ".") >=
		    sizeof(folder))
		return ENAMETOOLONG;
	fd = openat(target->folder, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (target->folder >= 0)
		close(target->folder);
	target->folder = fd;
	memmove(target->name, name, strlen(name) + 1);
	return 0;
}

static int link_read(const struct file_target *target, char *out, size_t size)
{
	ssize_t length = readlinkat(target->folder, target->name, out, size);

	if (length < 0)
		return errno;
	if ((size_t)length == size)
		return ENAMETOOLONG;
	out[length] = 0;
	return 0;
}

/* Finds the folder and the name. *exists_out: there is such a file, which is no link. */
static int find(struct file_target *target, bool *exists_out, struct error *error)
{
	char where[PATH_MAX];
	struct stat status;
	int errnum;

	if ((size_t)snprintf(where, sizeof(where), "%s", target->path) >= sizeof(where))
		return failed(target, ENAMETOOLONG, error);
	for (unsigned int links = 0; links <= LINKS_MAX; links++) {
		errnum = folder_enter(target, where);
		if (errnum == EISDIR)
			return refuse_special(target, error);
		if (errnum)
			return failed(target, errnum, error);
		if (fstatat(target->folder, target->name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
			*exists_out = false;
			return errno == ENOENT ? 0 : failed(target, errno, error);
		}
		*exists_out = true;
		if (!S_ISLNK(status.st_mode))
			return 0;
		if (status.st_uid != geteuid())
			return refuse(target,
				      "a symbolic link of another user, which is not followed: name the file "
				      "itself",
				      error);
		errnum = link_read(target, where, sizeof(where));
		if (errnum)
			return failed(target, errnum, error);
	}
	return failed(target, ELOOP, error);
}

/*
 * Only a file of this kind or an empty one is replaced: a typing error on the command line must not destroy a
 * file.
 */
static int check_old(const struct file_target *target, struct error *error)
{
	int fd = openat(target->folder, target->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	uint8_t start[START_SIZE];
	struct stat status;
	ssize_t got;

	if (fd < 0 && errno == ENXIO)
		return refuse_special(target, error);
	if (fd < 0)
		return failed(target, errno, error);
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return refuse_special(target, error);
	}
	got = pread(fd, start, sizeof(start), 0);
	close(fd);
	if (!status.st_size || (got > 0 && target->kind->is_kind(start, (size_t)got)))
		return 0;
	return refuse_other(target, error);
}

/* Gives the new file its mode: it was created with 0600. */
static int set_mode(const struct file_target *target)
{
	mode_t mask = umask(0);

	umask(mask);
	return fchmod(target->fd, target->kind->mode & ~mask) < 0 ? errno : 0;
}

/* Creates the new file under a name that no file has. 0, or an errno. */
static int create(struct file_target *target)
{
	uint32_t number;

	for (unsigned int i = 0; i < TRIES_MAX; i++) {
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return errno;
		if ((size_t)snprintf(target->temporary, sizeof(target->temporary), "%.*s.%08x", NAME_MAX - 9,
				     target->name, number) >= sizeof(target->temporary))
			return ENAMETOOLONG;
		target->fd = signals_file_create(target->folder, target->temporary, &target->removed);
		if (target->fd >= 0)
			return 0;
		if (errno != EEXIST)
			return errno;
	}
	return EEXIST;
}

int file_target_open(const char *path, const struct file_target_kind *kind, struct file_target *out,
		     struct error *error)
{
	struct file_target target = {
		.kind = kind, .path = path, .folder = AT_FDCWD, .fd = -1, .removed = -1
	};
	struct stat status;
	bool exists = false;
	int errnum;

	if (!strcmp(path, "-"))
		return refuse(&target, "standard output cannot be it: name a file (./- for one of that name)",
			      error);
	/* A pipe, by /dev/stdout, has no name that could be found. */
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return refuse_special(&target, error);
	if (find(&target, &exists, error) == 0 && (!exists || check_old(&target, error) == 0)) {
		errnum = create(&target);
		if (!errnum) {
			*out = target;
			return 0;
		}
		failed(&target, errnum, error);
	}
	if (target.folder >= 0)
		close(target.folder);
	return -1;
}

int file_target_write(const struct file_target *target, const void *bytes, uint64_t size, uint64_t offset)
{
	const uint8_t *next = bytes;

	while (size) {
		ssize_t written = pwrite(target->fd, next, size, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? errno : ENOSPC;
		next += written;
		size -= (uint64_t)written;
		offset += (uint64_t)written;
	}
	return 0;
}

int file_target_close(struct file_target *target, int errnum, struct error *error)
{
	/* Write errors must be known before the old file is replaced. */
	if (!errnum)
		errnum = fsync(target->fd) < 0 ? errno : set_mode(target);
	if (close(target->fd) < 0 && !errnum)
		errnum = errno;
	if (!errnum && renameat(target->folder, target->temporary, target->folder, target->name) < 0)
		errnum = errno;
	if (errnum)
		unlinkat(target->folder, target->temporary, 0);
	signals_file_keep(target->removed);
	close(target->folder);
	return errnum ? failed(target, errnum, error) : 0;
}
