/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_PATH */
#include "view/core_target.h"

#include "base/escape.h"
#include "base/signals.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel's limit */

#define TRIES_MAX 100 /* names of the new file */

int core_target_failed(const char *path, int errnum, struct error *error)
{
	enum error_kind kind = ERROR_HOST;
	char name[300];

	if (errnum == EACCES || errnum == EPERM || errnum == EROFS)
		kind = ERROR_PERMISSION;
	else if (errnum == ENOENT || errnum == ENOTDIR || errnum == ENAMETOOLONG || errnum == ELOOP)
		kind = ERROR_INPUT;
	return error_set(error, kind, errnum, 0, "%s: the core was not written",
			 text_escape(path, strlen(path), name, sizeof(name)));
}

static int refuse(const char *path, const char *text, struct error *error)
{
	char name[300];

	return error_set(error, ERROR_INPUT, 0, 0, "%s: %s",
			 text_escape(path, strlen(path), name, sizeof(name)), text);
}

/* Opens the folder of `path`, which is relative to target->folder, and replaces it. 0, or an errno. */
static int folder_enter(struct core_target *target, const char *path)
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

static int link_read(const struct core_target *target, char *out, size_t size)
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
static int find(const char *path, struct core_target *target, bool *exists_out, struct error *error)
{
	char where[PATH_MAX];
	struct stat status;
	int errnum;

	if ((size_t)snprintf(where, sizeof(where), "%s", path) >= sizeof(where))
		return core_target_failed(path, ENAMETOOLONG, error);
	for (unsigned int links = 0; links <= LINKS_MAX; links++) {
		errnum = folder_enter(target, where);
		if (errnum == EISDIR)
			return refuse(path, "not a regular file, so no core is written there", error);
		if (errnum)
			return core_target_failed(path, errnum, error);
		if (fstatat(target->folder, target->name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
			*exists_out = false;
			return errno == ENOENT ? 0 : core_target_failed(path, errno, error);
		}
		*exists_out = true;
		if (!S_ISLNK(status.st_mode))
			return 0;
		if (status.st_uid != geteuid())
			return refuse(path,
				      "a symbolic link of another user, which is not followed: name the file "
				      "itself",
				      error);
		errnum = link_read(target, where, sizeof(where));
		if (errnum)
			return core_target_failed(path, errnum, error);
	}
	return core_target_failed(path, ELOOP, error);
}

/* Only a core or an empty file is replaced: a typing error on the command line must not destroy a file. */
static int check_old(const char *path, const struct core_target *target, struct error *error)
{
	int fd = openat(target->folder, target->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	struct stat status;
	Elf64_Ehdr header;
	ssize_t got;

	if (fd < 0 && errno == ENXIO)
		return refuse(path, "not a regular file, so no core is written there", error);
	if (fd < 0)
		return core_target_failed(path, errno, error);
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return refuse(path, "not a regular file, so no core is written there", error);
	}
	got = pread(fd, &header, sizeof(header), 0);
	close(fd);
	if (!status.st_size || (got == (ssize_t)sizeof(header) && !memcmp(header.e_ident, ELFMAG, SELFMAG) &&
				header.e_type == ET_CORE))
		return 0;
	return refuse(path, "exists and is not an ELF core, so it is not replaced: remove it first", error);
}

/* Creates the new file under a name that no file has. 0, or an errno. */
static int create(struct core_target *target)
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

int core_target_open(const char *path, struct core_target *out, struct error *error)
{
	struct core_target target = { .folder = AT_FDCWD, .fd = -1, .removed = -1 };
	bool exists = false;
	int errnum;

	if (find(path, &target, &exists, error) == 0 && (!exists || check_old(path, &target, error) == 0)) {
		errnum = create(&target);
		if (!errnum) {
			*out = target;
			return 0;
		}
		core_target_failed(path, errnum, error);
	}
	if (target.folder >= 0)
		close(target.folder);
	return -1;
}

int core_target_commit(struct core_target *target)
{
	int errnum = close(target->fd) < 0 ? errno : 0;

	target->fd = -1;
	if (!errnum && renameat(target->folder, target->temporary, target->folder, target->name) < 0)
		errnum = errno;
	if (errnum) {
		core_target_abort(target);
		return errnum;
	}
	signals_file_keep(target->removed);
	close(target->folder);
	return 0;
}

void core_target_abort(struct core_target *target)
{
	unlinkat(target->folder, target->temporary, 0);
	signals_file_keep(target->removed);
	if (target->fd >= 0)
		close(target->fd);
	close(target->folder);
}
