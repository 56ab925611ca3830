/* SPDX-License-Identifier: MIT */
/*
 * core_memory.c: maps the PT_LOADs of a core as guest memory.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "view/core_file.h"

#include "base/array.h"
#include "base/page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* No x86-64 has wider physical addresses (SDM vol. 3A 4.1.4). */
#define GPA_END (1ull << 52)

/* Guest memory [gpa, gpa + size), whose first `file_size` bytes are in the file; zeros follow. */
struct piece {
	uint64_t gpa, size;
	uint64_t offset, file_size;
};

struct pieces {
	ARRAY_OF(struct piece);
};

static int segment_error(const struct core_file *file, const GElf_Phdr *segment, const char *what,
			 struct error *error)
{
	return error_set(error, ERROR_INPUT, 0, segment->p_paddr,
			 "%s: guest memory at GPA 0x%" PRIx64 ", size 0x%" PRIx64 ": %s", file->path,
			 segment->p_paddr, segment->p_memsz, what);
}

/* The range is that of all memory that the segment names, whether the file has it or not. */
static int check_range(const struct core_file *file, const GElf_Phdr *segment, struct error *error)
{
	if (segment->p_paddr <= GPA_END && segment->p_memsz <= GPA_END - segment->p_paddr)
		return 0;
	return segment_error(file, segment, "beyond 52 bits of physical address", error);
}

static int check_segment(const struct core_file *file, const GElf_Phdr *segment, struct error *error)
{
	const char *what = NULL;

	if (segment->p_filesz > segment->p_memsz)
		what = "more bytes in the file than in memory";
	else if ((segment->p_paddr | segment->p_memsz) % PAGE_4K)
		what = "not a whole number of pages";
	return what ? segment_error(file, segment, what, error) : 0;
}

/*
 * QEMU's segment with fewer bytes in the file than in memory: those of a device, which the guest maps, or of a
 * mapping over several blocks of RAM (-p), of which QEMU wrote the first. There is no telling which.
 */
static int take_gap(GElf_Phdr *segment, struct view *view)
{
	struct view_gap gap = { segment->p_paddr, segment->p_memsz, segment->p_filesz,
				page_round_down(segment->p_filesz, PAGE_4K) };

	segment->p_memsz = gap.used;
	return gap.has ? array_push(&view->gaps, gap) : 0;
}

/* Drops the gaps that other segments fill. */
static void settle_gaps(struct view *view)
{
	size_t kept = 0;

	for (size_t i = 0; i < view->gaps.count; i++) {
		struct view_gap gap = view->gaps.items[i];

		if (!view_covers(view, gap.gpa + gap.used, gap.size - gap.used))
			view->gaps.items[kept++] = gap;
	}
	view->gaps.count = kept;
}

static int take_segment(const struct core_file *file, GElf_Phdr *segment, struct view *view,
			struct pieces *pieces, struct error *error)
{
	struct piece piece;

	/* A header without bytes and size has no address. */
	if ((segment->p_memsz || segment->p_filesz) && check_range(file, segment, error) < 0)
		return -1;
	if (file->from_qemu && segment->p_memsz > segment->p_filesz && take_gap(segment, view) < 0)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "%s", file->path);
	if (segment->p_filesz > segment->p_memsz && file->from_qemu)
		segment->p_filesz = segment->p_memsz;
	if (!segment->p_memsz && !segment->p_filesz)
		return 0;
	if (check_segment(file, segment, error) < 0)
		return -1;
	piece = (struct piece){ segment->p_paddr, segment->p_memsz, segment->p_offset, segment->p_filesz };
	/* No bytes: an offset beyond the end of the file, so that SEEK_DATA finds none. */
	if (!piece.file_size)
		piece.offset = page_round_up(file->size, PAGE_4K);
	if (array_push(pieces, piece) < 0)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "%s", file->path);
	return 0;
}

static int by_gpa(const void *a, const void *b)
{
	const struct piece *left = a, *right = b;

	if (left->gpa != right->gpa)
		return left->gpa < right->gpa ? -1 : 1;
	return left->size < right->size ? -1 : left->size > right->size;
}

/* Whether both refer to the same bytes of the file where they overlap. next->gpa >= piece->gpa. */
static bool continues(const struct piece *piece, const struct piece *next)
{
	return next->gpa - piece->gpa <= piece->size && piece->file_size == piece->size &&
	       next->file_size == next->size && next->offset - piece->offset == next->gpa - piece->gpa;
}

/* Sorts the pieces and merges those that continue each other. view_add_region() refuses other overlaps. */
static void merge_pieces(struct pieces *pieces)
{
	size_t kept = 0;

	if (!pieces->count)
		return;
	qsort(pieces->items, pieces->count, sizeof(pieces->items[0]), by_gpa);
	for (size_t i = 1; i < pieces->count; i++) {
		struct piece *last = &pieces->items[kept];
		const struct piece *next = &pieces->items[i];
		uint64_t lead = next->gpa - last->gpa;

		if (!continues(last, next))
			pieces->items[++kept] = *next;
		else if (next->size > last->size - lead)
			last->size = last->file_size = lead + next->size;
	}
	pieces->count = kept + 1;
}

/*
 * Maps the file's bytes [offset - lead, offset + filesz) at the start of `map`, which is all zeros. The last
 * page is copied, since the file's bytes after filesz need not be zero.
 */
static int map_bytes(const struct core_file *file, const struct piece *piece, const struct core_map *map)
{
	uint64_t lead = piece->offset % PAGE_4K;
	uint64_t size = lead + piece->file_size;
	uint64_t whole = page_round_down(size, PAGE_4K);
	uint8_t *last = (uint8_t *)map->address + whole;

	if (whole && mmap(map->address, whole, PROT_READ, MAP_PRIVATE | MAP_FIXED, file->fd,
			  (off_t)(piece->offset - lead)) == MAP_FAILED)
		return -1;
	if (size == whole)
		return 0;
	if (mprotect(last, PAGE_4K, PROT_READ | PROT_WRITE) < 0)
		return -1;
	if (pread(file->fd, last, size - whole, (off_t)(piece->offset - lead + whole)) !=
	    (ssize_t)(size - whole)) {
		errno = EIO;
		return -1;
	}
	return mprotect(last, PAGE_4K, PROT_READ);
}

/* Adds a mapping of zeros, to be filled, or with `fd` of the file; NULL and errno if that fails. */
static uint8_t *map_add(struct core_maps *maps, size_t size, int flags, int fd)
{
	struct core_map map = { mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_NORESERVE | flags, fd, 0),
				size };

	if (map.address == MAP_FAILED)
		return NULL;
	if (array_push(maps, map) == 0)
		return map.address;
	munmap(map.address, map.size);
	errno = ENOMEM;
	return NULL;
}

/* The bytes of a piece, page-aligned or not; NULL and errno. `whole`: the mapped file. */
static const uint8_t *piece_bytes(const struct core_file *file, const uint8_t *whole,
				  const struct piece *piece, struct core_maps *maps)
{
	uint64_t lead = piece->offset % PAGE_4K;
	uint8_t *own;

	if (piece->file_size == piece->size)
		return whole + piece->offset;
	own = map_add(maps, page_round_up(lead + piece->size, PAGE_4K), MAP_ANONYMOUS, -1);
	if (!own || map_bytes(file, piece, &maps->items[maps->count - 1]) < 0)
		return NULL;
	return own + lead;
}

static int add_pieces(const struct core_file *file, const struct pieces *pieces, struct view *view,
		      struct core_maps *maps, struct error *error)
{
	const uint8_t *whole = map_add(maps, page_round_up(file->size, PAGE_4K), 0, file->fd);
	struct error why;

	if (!whole)
		return error_set(error, ERROR_HOST, errno, 0, "%s: cannot be mapped", file->path);
	for (size_t i = 0; i < pieces->count; i++) {
		const struct piece *piece = &pieces->items[i];
		struct view_region region = {
			.gpa = piece->gpa,
			.size = piece->size,
			.bytes = piece_bytes(file, whole, piece, maps),
			.fd = file->fd,
			.offset = piece->offset,
		};

		if (!region.bytes)
			return error_set(error, ERROR_HOST, errno, piece->gpa,
					 "%s: 0x%" PRIx64 " bytes of guest memory at GPA 0x%" PRIx64
					 " cannot be mapped",
					 file->path, piece->size, piece->gpa);
		if (view_add_region(view, &region, &why) < 0)
			return error_set(error, why.kind, 0, region.gpa, "%s: %s", file->path, why.text);
	}
	return 0;
}

/* Type of the segments with guest memory: CORE_SEGMENT_MEMORY in a core by virtual address. */
static int memory_type(const struct core_file *file, uint32_t *out, struct error *error)
{
	*out = PT_LOAD;
	for (size_t i = 0; i < file->segment_count; i++) {
		GElf_Phdr segment;

		if (core_file_segment(file, i, &segment, error) < 0)
			return -1;
		if (segment.p_type == CORE_SEGMENT_MEMORY)
			*out = CORE_SEGMENT_MEMORY;
	}
	return 0;
}

int core_file_memory(const struct core_file *file, struct view *view, struct core_maps *maps,
		     struct error *error)
{
	struct pieces pieces = { 0 };
	uint32_t type;
	int result;

	result = memory_type(file, &type, error);
	for (size_t i = 0; i < file->segment_count && result == 0; i++) {
		GElf_Phdr segment;

		result = core_file_segment(file, i, &segment, error);
		if (result == 0 && segment.p_type == type)
			result = take_segment(file, &segment, view, &pieces, error);
	}
	if (result == 0 && !pieces.count)
		result = error_set(error, ERROR_INPUT, 0, 0, "%s: no guest memory (no PT_LOAD)", file->path);
	if (result == 0) {
		merge_pieces(&pieces);
		result = add_pieces(file, &pieces, view, maps, error);
		settle_gaps(view);
	}
	free(pieces.items);
	return result;
}
