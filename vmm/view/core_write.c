/* SPDX-License-Identifier: MIT */
/*
 * core_write.c: writes a view as an ELF core. Layout of the file:
 *
 *   0         ELF header, program headers, notes (core_head.c)
 *   page      the regions, in order; pages of zeros are holes
 */
#define _GNU_SOURCE /* mkostemp */
#include "view/core.h"

#include "base/page.h"
#include "kvmap/layout.h"
#include "view/core_head.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const uint8_t *bytes, uint64_t size, uint64_t offset)
{
	while (size) {
		ssize_t written = pwrite(fd, bytes, size, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			errno = written ? errno : ENOSPC;
			return -1;
		}
		bytes += written;
		size -= written;
		offset += written;
	}
	return 0;
}

static bool page_is_zero(const uint8_t *page)
{
	static const uint8_t zeros[PAGE_4K];

	return !memcmp(page, zeros, sizeof(zeros));
}

/* Writes the pages of `bytes` that are not zero, each at `offset` plus its distance from `bytes`. */
static int write_stretch(int fd, const uint8_t *bytes, uint64_t size, uint64_t offset)
{
	for (uint64_t from = 0, end; from < size; from = end + PAGE_4K) {
		for (end = from; end < size && !page_is_zero(bytes + end);)
			end += PAGE_4K;
		if (write_all(fd, bytes + from, end - from, offset + from) < 0)
			return -1;
	}
	return 0;
}

static int write_region(int fd, const struct view *view, const struct view_region *region, uint64_t base)
{
	uint64_t next = region->gpa, region_end = region->gpa + region->size;
	uint64_t start, end;

	while (view_next_data(view, next, region_end, &start, &end)) {
		uint64_t from = page_round_down(start, PAGE_4K);

		/* SEEK_HOLE may end inside a page: the file system's blocks may be smaller. */
		next = page_round_up(end, PAGE_4K);
		if (write_stretch(fd, view_bytes(view, from, next - from), next - from,
				  base + (from - region->gpa)) < 0)
			return -1;
	}
	return 0;
}

static int write_core(int fd, const struct view *view, const struct core_head *head)
{
	uint64_t offset = head->size;

	if (write_all(fd, head->bytes, head->size, 0) < 0)
		return -1;
	for (unsigned int i = 0; i < view->region_count; i++) {
		if (write_region(fd, view, &view->regions[i], offset) < 0)
			return -1;
		offset += view->regions[i].size;
	}
	/* ftruncate(): a hole at the end. fsync(): write errors must be known before the old file is replaced. */
	return ftruncate(fd, (off_t)offset) < 0 ? -1 : fsync(fd);
}

static int write_failed(const char *path, int errnum, struct error *error)
{
	enum error_kind kind = ERROR_HOST;

	if (errnum == EACCES || errnum == EPERM || errnum == EROFS)
		kind = ERROR_PERMISSION;
	else if (errnum == ENOENT || errnum == ENOTDIR || errnum == ENAMETOOLONG)
		kind = ERROR_INPUT;
	return error_set(error, kind, errnum, 0, "%s: the core was not written", path);
}

/* Writes a temporary file and renames it to `target`. 0, or an errno; then no file is left. */
static int write_and_rename(const char *target, const struct view *view, const struct core_head *head)
{
	char *temporary;
	int fd, errnum;

	if (asprintf(&temporary, "%s.XXXXXX", target) < 0)
		return ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		errnum = errno;
	} else {
		errnum = write_core(fd, view, head) < 0 ? errno : 0;
		if (close(fd) < 0 && !errnum)
			errnum = errno;
		if (!errnum && rename(temporary, target) < 0)
			errnum = errno;
		if (errnum)
			unlink(temporary);
	}
	free(temporary);
	return errnum;
}

/* Only a core or an empty file is replaced: a typing error on the command line must not destroy a file. */
static int check_target(const char *path, struct error *error)
{
	Elf64_Ehdr header;
	struct stat status;
	ssize_t got = -1;
	int fd;

	if (stat(path, &status) < 0)
		return 0; /* new; if it cannot be created, write_and_rename() fails */
	if (!S_ISREG(status.st_mode))
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: not a regular file, so no core is written there", path);
	if (!status.st_size)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		got = pread(fd, &header, sizeof(header), 0);
		close(fd);
	}
	if (got == (ssize_t)sizeof(header) && !memcmp(header.e_ident, ELFMAG, SELFMAG) &&
	    header.e_type == ET_CORE)
		return 0;
	return error_set(error, ERROR_INPUT, 0, 0,
			 "%s: exists and is not an ELF core, so it is not replaced: remove it first", path);
}

int core_write_virtual(const struct view *view, const struct core_mapping *mappings, size_t mapping_count,
		       const char *path, const char *program, struct error *error)
{
	struct core_head head = { 0 };
	char *target;
	int errnum = ENOMEM;

	if (check_target(path, error) < 0)
		return -1;
	/* Follows a symbolic link; a new file has none. */
	target = realpath(path, NULL);
	if (!target)
		target = strdup(path);
	if (target && core_head_make(&head, view, mappings, mapping_count, program) == 0)
		errnum = write_and_rename(target, view, &head);
	free(head.bytes);
	free(target);
	return errnum ? write_failed(path, errnum, error) : 0;
}

int core_write(const struct view *view, const char *path, const char *program, struct error *error)
{
	return core_write_virtual(view, NULL, 0, path, program, error);
}
