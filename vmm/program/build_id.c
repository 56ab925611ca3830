/* SPDX-License-Identifier: MIT */
/*
 * build_id.c: the build-id in the file and in the guest's memory.
 */
#include "program/build_id.h"
#include "base/strbuf.h"
#include "base/page.h"
#include "program/program_file.h"

#include <gelf.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the image in which the note of another build is searched. */
#define SEARCH_SIZE (64ull << 20)

/* The NT_GNU_BUILD_ID among the notes that are loaded at `gva`. */
static bool notes_search(Elf_Data *data, uint64_t gva, struct build_id *out)
{
	size_t at = 0, next, name_at, bytes_at;
	GElf_Nhdr note;

	for (; (next = gelf_getnote(data, at, &note, &name_at, &bytes_at)) > 0; at = next) {
		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof("GNU") ||
		    memcmp((const char *)data->d_buf + name_at, "GNU", sizeof("GNU")) != 0)
			continue;
		if (!note.n_descsz || note.n_descsz > BUILD_ID_MAX)
			return false;
		*out = (struct build_id){ .size = note.n_descsz, .gva = gva + bytes_at };
		memcpy(out->bytes, (const char *)data->d_buf + bytes_at, note.n_descsz);
		return true;
	}
	return false;
}

bool build_id_of_file(const struct symbols *symbols, struct build_id *out)
{
	const struct program_file *file = symbols_file(symbols);
	size_t count = 0;

	if (elf_getphdrnum(file->elf, &count) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;
		Elf_Data *data;

		if (!gelf_getphdr(file->elf, (int)i, &header) || header.p_type != PT_NOTE)
			continue;
		data = elf_getdata_rawchunk(file->elf, (int64_t)header.p_offset, header.p_filesz,
					    header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		if (data && notes_search(data, header.p_vaddr, out))
			return true;
	}
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

int build_id_check(const struct symbols *symbols, const struct view *view, const struct walk_mode *mode,
		   struct error *error)
{
	char wanted[2 * BUILD_ID_MAX + 1], found[2 * BUILD_ID_MAX + 1];
	const char *name = symbols_file(symbols)->name;
	uint8_t memory[BUILD_ID_MAX];
	struct build_id file, other;
	struct error ignored;

	if (!build_id_of_file(symbols, &file) ||
	    (walk_read(view, mode, file.gva, memory, file.size, &ignored) == 0 &&
	     !memcmp(memory, file.bytes, file.size)))
		return 0;
	build_id_text(&file, wanted, sizeof(wanted));
	if (!memory_search(symbols, view, mode, &other))
		return error_set(error, ERROR_INPUT, 0, file.gva,
				 "the guest does not run %s: its build-id %s is not in the guest's memory "
				 "(--guest FILE names the right one)",
				 name, wanted);
	return error_set(
		error, ERROR_INPUT, 0, file.gva,
		"the guest runs another build than %s: its build-id is %s, the file's is %s (--guest "
		"FILE names the right one)",
		name, build_id_text(&other, found, sizeof(found)), wanted);
}
