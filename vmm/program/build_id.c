/* SPDX-License-Identifier: MIT */
/*
 * build_id.c: the build-id in the file and in the guest's memory.
 */
#include "program/build_id.h"
#include "base/strbuf.h"
#include "base/page.h"
#include "program/program_file.h"

#include <stdio.h>
#include <string.h>

/* Bytes of the image in which the note of another build is searched. */
#define SEARCH_SIZE (64ull << 20)

/* The NT_GNU_BUILD_ID among the notes of a segment. */
static bool notes_search(const struct elf_image *image, const Elf64_Phdr *segment, struct build_id *out)
{
	struct elf_notes notes = elf_image_notes(image, segment);
	const uint8_t *start = notes.bytes;
	struct elf_note note;

	while (elf_notes_next(&notes, &note)) {
		if (note.type != NT_GNU_BUILD_ID || note.name_size != sizeof("GNU") ||
		    memcmp(note.name, "GNU", sizeof("GNU")) != 0)
			continue;
		if (!note.value_size || note.value_size > BUILD_ID_MAX)
			return false;
		*out = (struct build_id){ .size = note.value_size,
					  .gva = segment->p_vaddr + (uint64_t)(note.value - start) };
		memcpy(out->bytes, note.value, note.value_size);
		return true;
	}
	return false;
}

bool build_id_of_file(const struct symbols *symbols, struct build_id *out)
{
	const struct elf_image *image = &symbols_file(symbols)->image;
	uint32_t count = elf_image_segments(image);
	Elf64_Phdr segment;

	for (uint32_t i = 0; i < count && elf_image_segment(image, i, &segment); i++)
		if (segment.p_type == PT_NOTE && notes_search(image, &segment, out))
			return true;
	return false;
}

/* "0b5aff80...". Returns out. */
static const char *build_id_text(const struct build_id *id, char *out, size_t size)
{
	struct strbuf digits = strbuf_of(out, size);

	for (size_t i = 0; i < id->size && strbuf_room(&digits) >= 2; i++)
		strbuf_add(&digits, "%02x", id->bytes[i]);
	return out;
}

/* The first complete note of a build-id in a page. */
static bool page_search(const uint8_t *page, struct build_id *out)
{
	static const char name[4] = "GNU";
	uint32_t words[3]; /* sizes of name and description, type */

	for (size_t at = 0; at + sizeof(words) + sizeof(name) < PAGE_4K; at += 4) {
		size_t bytes_at = at + sizeof(words) + sizeof(name);

		memcpy(words, page + at, sizeof(words));
		if (words[0] != sizeof(name) || words[2] != NT_GNU_BUILD_ID || !words[1] ||
		    words[1] > BUILD_ID_MAX || words[1] > PAGE_4K - bytes_at ||
		    memcmp(page + at + sizeof(words), name, sizeof(name)) != 0)
			continue;
		*out = (struct build_id){ .size = words[1] };
		memcpy(out->bytes, page + bytes_at, words[1]);
		return true;
	}
	return false;
}

/* The first build-id in the guest's image. */
static bool memory_search(const struct symbols *symbols, const struct view *view,
			  const struct walk_mode *mode, struct build_id *out)
{
	const struct symbols_segment *segments;
	size_t count = symbols_segments(symbols, &segments);
	uint8_t page[PAGE_4K];
	struct error ignored;
	uint64_t start;

	if (!count)
		return false;
	start = page_round_down(segments[0].gva, PAGE_4K);
	for (uint64_t offset = 0; offset < SEARCH_SIZE && offset <= UINT64_MAX - start; offset += PAGE_4K)
		if (walk_read(view, mode, start + offset, page, sizeof(page), &ignored) == 0 &&
		    page_search(page, out))
			return true;
	return false;
}

/* ---- a program at an offset ---- */

/* Kernels are linked in the top 2 GiB, and moved by multiples of 2 MiB, the smallest CONFIG_PHYSICAL_ALIGN of Linux. */
#define KERNEL_START (~0ull << 31)
#define KERNEL_STEP  (2ull << 20)

/* Pages that are compared at most in each part of the address space where the offset is no multiple of 2 MiB: 4 GiB. */
#define SEARCH_PAGES (1u << 20)

struct search {
	const struct symbols *symbols;
	const struct view *view;
	const struct walk_mode *mode;
	struct build_id id; /* of the file */
	uint64_t old;       /* offset of the symbols */
	unsigned int pages_left;
	bool has_code;  /* the file has an executable segment */
	uint64_t code;  /* the page where the first one is linked */
	bool cut_short; /* not everything was searched */
	uint64_t found;
};

static bool has_id(const struct search *search, uint64_t offset)
{
	uint8_t memory[BUILD_ID_MAX];
	struct error ignored;

	return walk_read(search->view, search->mode, search->id.gva + offset, memory, search->id.size,
			 &ignored) == 0 &&
	       !memcmp(memory, search->id.bytes, search->id.size);
}

/* A direct map has the build-id, too; but there nothing can be executed. */
static bool runs_at(const struct search *search, uint64_t offset)
{
	const struct symbols_segment *segments;
	size_t count = symbols_segments(search->symbols, &segments);
	bool any = false;
	struct walk walk;

	if (!has_id(search, offset))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!segments[i].executable || !segments[i].memory_size)
			continue;
		walk_translate(search->view, search->mode, segments[i].gva - search->old + offset, &walk);
		if (walk.stop == WALK_MAPPED && walk.rights & RIGHT_X)
			return true;
		any = true;
	}
	return !any;
}

/* Each page of a leaf that has the build-id at its place in a page. */
static int search_leaf(void *context, const struct walk_leaf *leaf)
{
	struct search *search = context;
	uint64_t place = search->id.gva % PAGE_4K;

	for (uint64_t at = 0; at < leaf->size; at += PAGE_4K) {
		const uint8_t *bytes;

		if (!search->pages_left--)
			return -1;
		bytes = view_bytes(search->view, leaf->gpa + at, PAGE_4K);
		/* The first byte decides mostly; the rest may be in the next page. */
		if (!bytes || bytes[place] != search->id.bytes[0])
			continue;
		search->found = leaf->gva + at + place - search->id.gva;
		if (runs_at(search, search->found))
			return 1;
	}
	return 0;
}

/* Each page that can be executed, as the first one of the code. A direct map mostly has none of them. */
static int search_code(void *context, const struct walk_run *run)
{
	struct search *search = context;

	if (!(run->rights & RIGHT_X))
		return 0;
	for (uint64_t at = 0; at < run->count * run->size; at += PAGE_4K) {
		if (!search->pages_left)
			return -1;
		search->pages_left--;
		search->found = run->gva + at - search->code;
		if (runs_at(search, search->found))
			return 1;
	}
	return 0;
}

static bool search_part(struct search *search, uint64_t start, uint64_t end)
{
	const struct walk_visitor code = { .context = search, .run = search_code, .visits = 1 };
	const struct walk_visitor bytes = { .context = search, .leaf = search_leaf, .visits = 1 };
	int result;

	search->pages_left = SEARCH_PAGES;
	result = walk_range(search->view, search->mode, start, end, 0, search->has_code ? &code : &bytes);
	search->cut_short |= result < 0;
	return result == 1;
}

static void find_code(struct search *search)
{
	const struct symbols_segment *segments;
	size_t count = symbols_segments(search->symbols, &segments);

	for (size_t i = 0; i < count && !search->has_code; i++) {
		search->has_code = segments[i].executable && segments[i].memory_size;
		search->code = page_round_down(segments[i].gva - search->old, PAGE_4K);
	}
}

/*
 * Where the guest runs the program: as VMCOREINFO says, as it is linked, at an offset of whole 2 MiB in the top 2 GiB,
 * or at any other of whole pages: there, in the rest of its half, and in the other one. The last three not in a view
 * whose pages have a cost each.
 */
static bool search_offset(struct search *search)
{
	const uint64_t high = 1ull << 63;
	bool is_kernel = search->id.gva >= KERNEL_START, is_high = search->id.gva & high;

	search->found = search->view->kernel_offset;
	if (search->view->has_kernel_offset && has_id(search, search->found))
		return true;
	search->found = 0;
	if (has_id(search, 0))
		return true;
	for (uint64_t at = KERNEL_START + search->id.gva % KERNEL_STEP; is_kernel && at >= KERNEL_START;
	     at += KERNEL_STEP) {
		search->found = at - search->id.gva;
		if (runs_at(search, search->found))
			return true;
	}
	search->cut_short = search->view->tracks_access;
	if (search->cut_short)
		return false;
	find_code(search);
	if (is_kernel && search_part(search, KERNEL_START, UINT64_MAX))
		return true;
	if (is_high)
		return search_part(search, high, KERNEL_START - 1) || search_part(search, 0, high - 1);
	return search_part(search, 0, high - 1) || search_part(search, high, UINT64_MAX);
}

int build_id_check(struct symbols *symbols, const struct view *view, const struct walk_mode *mode,
		   struct error *error)
{
	struct search search = { symbols, view, mode, .old = symbols_offset(symbols) };
	char wanted[2 * BUILD_ID_MAX + 1], found[2 * BUILD_ID_MAX + 1];
	const char *name = symbols_file(symbols)->file.name;
	struct build_id other;

	if (!build_id_of_file(symbols, &search.id)) {
		symbols_set_offset(symbols, view->has_kernel_offset ? view->kernel_offset : 0);
		return 0;
	}
	if (search_offset(&search)) {
		symbols_set_offset(symbols, search.found);
		return 0;
	}
	symbols_set_offset(symbols, 0);
	build_id_text(&search.id, wanted, sizeof(wanted));
	/* The file's own one, if it is in the image's range, is not at the place of the program that runs. */
	if (!memory_search(symbols, view, mode, &other) ||
	    (other.size == search.id.size && !memcmp(other.bytes, search.id.bytes, other.size)))
		return error_set(error, ERROR_INPUT, 0, search.id.gva,
				 "the guest does not run %s: its build-id %s is not in the guest's memory "
				 "%s(--guest FILE names the right one)",
				 name, wanted,
				 search.cut_short ? "where it was searched, which is not everywhere "
						  : "at any address where it executes the program ");
	return error_set(
		error, ERROR_INPUT, 0, search.id.gva,
		"the guest runs another build than %s: its build-id is %s, the file's is %s (--guest "
		"FILE names the right one)",
		name, build_id_text(&other, found, sizeof(found)), wanted);
}
