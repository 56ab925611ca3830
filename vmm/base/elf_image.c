/* SPDX-License-Identifier: MIT */
#include "base/elf_image.h"

#include <string.h>

bool elf_image_open(const void *bytes, size_t size, struct elf_image *out)
{
	struct elf_image image = { .bytes = bytes, .size = size };

	if (size < sizeof(image.header))
		return false;
	memcpy(&image.header, bytes, sizeof(image.header));
	if (memcmp(image.header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    image.header.e_ident[EI_CLASS] != ELFCLASS64 || image.header.e_ident[EI_DATA] != ELFDATA2LSB)
		return false;
	*out = image;
	return true;
}

const uint8_t *elf_image_bytes(const struct elf_image *image, uint64_t offset, uint64_t size)
{
	if (offset > image->size || size > image->size - offset)
		return NULL;
	return image->bytes + offset;
}

/* Copies entry `index` of a table of the file. */
static bool entry_copy(const struct elf_image *image, uint64_t table, uint64_t index, void *out, size_t size)
{
	const uint8_t *entry;

	if (!table || table > image->size || index > (image->size - table) / size)
		return false;
	entry = elf_image_bytes(image, table + index * size, size);
	if (entry)
		memcpy(out, entry, size);
	return entry;
}

static bool section_copy(const struct elf_image *image, uint64_t index, Elf64_Shdr *out)
{
	return image->header.e_shentsize == sizeof(*out) &&
	       entry_copy(image, image->header.e_shoff, index, out, sizeof(*out));
}

uint32_t elf_image_segments(const struct elf_image *image)
{
	Elf64_Shdr first;

	if (image->header.e_phnum != PN_XNUM)
		return image->header.e_phnum;
	return section_copy(image, 0, &first) ? first.sh_info : 0;
}

uint64_t elf_image_sections(const struct elf_image *image)
{
	Elf64_Shdr first;

	if (image->header.e_shnum)
		return image->header.e_shnum;
	return section_copy(image, 0, &first) ? first.sh_size : 0;
}

bool elf_image_segment(const struct elf_image *image, uint32_t index, Elf64_Phdr *out)
{
	return index < elf_image_segments(image) && image->header.e_phentsize == sizeof(*out) &&
	       entry_copy(image, image->header.e_phoff, index, out, sizeof(*out));
}

bool elf_image_section(const struct elf_image *image, uint64_t index, Elf64_Shdr *out)
{
	return index < elf_image_sections(image) && section_copy(image, index, out);
}

/* ---- notes ---- */

struct elf_notes elf_image_notes(const struct elf_image *image, const Elf64_Phdr *segment)
{
	const uint8_t *bytes = elf_image_bytes(image, segment->p_offset, segment->p_filesz);

	return (struct elf_notes){ bytes, bytes ? segment->p_filesz : 0, segment->p_align == 8 ? 8 : 4 };
}

/* Takes `size` bytes and their padding, which may be missing at the end. NULL: fewer are left. */
static const uint8_t *notes_take(struct elf_notes *notes, uint64_t size)
{
	uint64_t padded = (size + notes->align - 1) & ~(uint64_t)(notes->align - 1);
	const uint8_t *bytes = notes->bytes;

	if (size > notes->left)
		return NULL;
	padded = padded < notes->left ? padded : notes->left;
	notes->bytes += padded;
	notes->left -= padded;
	return bytes;
}

bool elf_notes_next(struct elf_notes *notes, struct elf_note *out)
{
	struct elf_notes rest = *notes;
	Elf64_Nhdr header;
	struct elf_note note;
	uint64_t whole;

	if (rest.left < sizeof(header))
		return false;
	memcpy(&header, rest.bytes, sizeof(header));
	note = (struct elf_note){ header.n_type, header.n_namesz, header.n_descsz, NULL, NULL };
	/* The value begins at the next multiple of the alignment, counted from the note's header. */
	whole = sizeof(header) + (uint64_t)header.n_namesz;
	note.name = rest.bytes + sizeof(header);
	if (!notes_take(&rest, whole))
		return false;
	note.value = notes_take(&rest, header.n_descsz);
	if (!note.value)
		return false;
	*notes = rest;
	*out = note;
	return true;
}
