/* SPDX-License-Identifier: MIT */
/*
 * core_write.c: writes a view as an ELF core. Layout of the file:
 *
 *   0         ELF header, program headers, notes (core_head.c)
 *   page      the regions, in order; pages of zeros are holes
 */
#include "view/core.h"

#include "base/page.h"
#include "view/core_head.h"
#include "view/core_target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
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

int core_write(const struct view *view, const struct core_addresses *addresses, const char *path,
	       const char *program, struct error *error)
{
	struct core_head head = { 0 };
	struct core_target target;
	int errnum = ENOMEM;

	if (core_target_open(path, &target, error) < 0)
		return -1;
	if (core_head_make(&head, view, addresses, program) == 0)
		errnum = write_core(target.fd, view, &head) < 0 ? errno : 0;
	free(head.bytes);
	if (errnum)
		core_target_abort(&target);
	else
		errnum = core_target_commit(&target);
	return errnum ? core_target_failed(path, errnum, error) : 0;
}
