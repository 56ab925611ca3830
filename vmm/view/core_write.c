/* SPDX-License-Identifier: MIT */
/*
 * core_write.c: writes a view as an ELF core. Layout of the file:
 *
 *   0         ELF header, program headers, notes (core_head.c)
 *   page      the regions, in order; pages of zeros are holes
 */
#include "view/core.h"

#include "base/file_target.h"
#include "base/page.h"
#include "view/core_head.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_core(const void *start, size_t size)
{
	Elf64_Ehdr header;

	if (size < sizeof(header))
		return false;
	memcpy(&header, start, sizeof(header));
	return !memcmp(header.e_ident, ELFMAG, SELFMAG) && header.e_type == ET_CORE;
}

/* A core has all of the guest's memory, which is not for others. */
static const struct file_target_kind core_kind = { "core", "an ELF core", 0600, is_core };

static bool page_is_zero(const uint8_t *page)
{
	static const uint8_t zeros[PAGE_4K];

	return !memcmp(page, zeros, sizeof(zeros));
}

/* Writes the pages of `bytes` that are not zero, each at `offset` plus its distance from `bytes`. 0, or an errno. */
static int write_stretch(const struct file_target *target, const uint8_t *bytes, uint64_t size,
			 uint64_t offset)
{
	int errnum = 0;

	for (uint64_t from = 0, end; from < size && !errnum; from = end + PAGE_4K) {
		for (end = from; end < size && !page_is_zero(bytes + end);)
			end += PAGE_4K;
		errnum = file_target_write(target, bytes + from, end - from, offset + from);
	}
	return errnum;
}

static int write_region(const struct file_target *target, const struct view *view,
			const struct view_region *region, uint64_t base)
{
	uint64_t next = region->gpa, region_end = region->gpa + region->size;
	uint64_t start, end;
	int errnum = 0;

	while (!errnum && view_next_data(view, next, region_end, &start, &end)) {
		uint64_t from = page_round_down(start, PAGE_4K);

		/* SEEK_HOLE may end inside a page: the file system's blocks may be smaller. */
		next = page_round_up(end, PAGE_4K);
		errnum = write_stretch(target, view_bytes(view, from, next - from), next - from,
				       base + (from - region->gpa));
	}
	return errnum;
}

/* 0, or an errno. */
static int write_core(const struct file_target *target, const struct view *view, const struct core_head *head)
{
	uint64_t offset = head->size;
	int errnum = file_target_write(target, head->bytes, head->size, 0);

	for (unsigned int i = 0; i < view->region_count && !errnum; i++) {
		errnum = write_region(target, view, &view->regions[i], offset);
		offset += view->regions[i].size;
	}
	/* A hole at the end. */
	if (!errnum && ftruncate(target->fd, (off_t)offset) < 0)
		errnum = errno;
	return errnum;
}

int core_check_path(const char *path, struct error *error)
{
	struct file_target target;
	struct error ignored;

	if (file_target_open(path, &core_kind, &target, error) < 0)
		return -1;
	file_target_close(&target, ECANCELED, &ignored);
	return 0;
}

int core_write(const struct view *view, const struct core_addresses *addresses, const char *path,
	       const char *program, struct error *error)
{
	return core_write_checked(view, addresses, path, program, NULL, NULL, error);
}

int core_write_checked(const struct view *view, const struct core_addresses *addresses, const char *path,
		       const char *program, core_check *check, void *context, struct error *error)
{
	struct error ignored;
	struct core_head head = { 0 };
	struct file_target target;
	int errnum = ENOMEM;

	if (file_target_open(path, &core_kind, &target, error) < 0)
		return -1;
	if (core_head_make(&head, view, addresses, program) == 0)
		errnum = write_core(&target, view, &head);
	free(head.bytes);
	if (!errnum && check && check(context, error) < 0) {
		file_target_close(&target, ECANCELED, &ignored);
		return -1;
	}
	return file_target_close(&target, errnum, error);
}
