/* SPDX-License-Identifier: MIT */
/*
 * core_memory.c: the PT_LOADs of a core as guest memory, mapped, not copied.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "view/core_file.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 0x1000ull

/* No x86-64 has wider physical addresses (SDM vol. 3A 4.1.4). */
#define GPA_END (1ull << 52)

static int check_segment(const struct core_file *file, const GElf_Phdr *segment, struct error *error)
{
	const char *what = NULL;

	if (segment->p_filesz > segment->p_memsz)
		what = "more bytes in the file than in memory";
	else if ((segment->p_paddr | segment->p_memsz) % PAGE)
		what = "not a whole number of pages";
	else if (segment->p_paddr > GPA_END || segment->p_memsz > GPA_END - segment->p_paddr)
		what = "beyond 52 bits of physical address";
	if (!what)
		return 0;
	return error_set(error, ERROR_INPUT, 0, segment->p_paddr,
			 "%s: guest memory at GPA 0x%" PRIx64 ", size 0x%" PRIx64 ": %s", file->path,
			 segment->p_paddr, segment->p_memsz, what);
}

/*
 * Puts the file's bytes [offset - lead, offset + filesz) at the start of `map`, which is all zeros. Its last
 * page is copied, since in the file other bytes than zeros may follow.
 */
static int map_bytes(const struct core_file *file, const GElf_Phdr *segment, const struct core_map *map)
{
	uint64_t lead = segment->p_offset % PAGE;
	uint64_t size = lead + segment->p_filesz;
	uint64_t whole = size - size % PAGE;
	uint8_t *last = (uint8_t *)map->address + whole;

	if (whole && mmap(map->address, whole, PROT_READ, MAP_PRIVATE | MAP_FIXED, file->fd,
			  (off_t)(segment->p_offset - lead)) == MAP_FAILED)
		return -1;
	if (size == whole)
		return 0;
	if (mprotect(last, PAGE, PROT_READ | PROT_WRITE) < 0)
		return -1;
	if (pread(file->fd, last, size - whole, (off_t)(segment->p_offset - lead + whole)) !=
	    (ssize_t)(size - whole)) {
		errno = EIO;
		return -1;
	}
	return mprotect(last, PAGE, PROT_READ);
}

static int add_segment(const struct core_file *file, const GElf_Phdr *segment, struct view *view,
		       struct core_map *map, struct error *error)
{
	uint64_t lead = segment->p_offset % PAGE;
	struct view_region region = {
		.gpa = segment->p_paddr,
		.size = segment->p_memsz,
		.fd = file->fd,
		.offset = segment->p_offset,
	};
	struct error why;

	map->size = (lead + segment->p_memsz + PAGE - 1) / PAGE * PAGE;
	map->address = mmap(NULL, map->size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map->address == MAP_FAILED)
		return error_set(error, ERROR_HOST, errno, segment->p_paddr,
				 "%s: 0x%" PRIx64 " bytes of guest memory at GPA 0x%" PRIx64, file->path,
				 segment->p_memsz, segment->p_paddr);
	if (map_bytes(file, segment, map) < 0) {
		error_set(error, ERROR_HOST, errno, segment->p_offset, "%s: cannot be mapped", file->path);
		goto fail;
	}
	region.bytes = (const uint8_t *)map->address + lead;
	if (view_add_region(view, &region, &why) < 0) {
		error_set(error, ERROR_INPUT, 0, region.gpa, "%s: %s", file->path, why.text);
		goto fail;
	}
	return 0;
fail:
	munmap(map->address, map->size);
	return -1;
}

int core_file_memory(const struct core_file *file, struct view *view, struct core_map *maps,
		     unsigned int *map_count, struct error *error)
{
	*map_count = 0;
	for (size_t i = 0; i < file->segment_count; i++) {
		struct core_map map;
		GElf_Phdr segment;

		if (core_file_segment(file, i, &segment, error) < 0)
			return -1;
		if (segment.p_type != PT_LOAD || (!segment.p_memsz && !segment.p_filesz))
			continue;
		if (check_segment(file, &segment, error) < 0 ||
		    add_segment(file, &segment, view, &map, error) < 0)
			return -1;
		maps[(*map_count)++] = map;
	}
	if (!*map_count)
		return error_set(error, ERROR_INPUT, 0, 0, "%s: no guest memory (no PT_LOAD)", file->path);
	return 0;
}
