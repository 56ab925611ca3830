/* SPDX-License-Identifier: MIT */
#include "module/object.h"

#include "base/escape.h"
#include "kvmap/layout.h"
#include "module/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Name of a section whose name lies outside the table of names. */
static const char nameless[] = "";

/* A table of names: a section of strings that ends with a NUL. NULL: it is damaged. */
static const char *names_of(const struct elf_image *image, uint64_t index, uint64_t *size_out)
{
	Elf64_Shdr header;
	const uint8_t *names;

	if (!elf_image_section(image, index, &header) || header.sh_type != SHT_STRTAB || !header.sh_size)
		return NULL;
	names = elf_image_bytes(image, header.sh_offset, header.sh_size);
	if (!names || names[header.sh_size - 1])
		return NULL;
	*size_out = header.sh_size;
	return (const char *)names;
}

static uint64_t names_index(const struct elf_image *image)
{
	Elf64_Shdr first;

	if (image->header.e_shstrndx != SHN_XINDEX)
		return image->header.e_shstrndx;
	return elf_image_section(image, 0, &first) ? first.sh_link : 0;
}

static int header_check(const struct module_object *object, struct error *error)
{
	const Elf64_Ehdr *header = &object->image.header;

	if (header->e_machine != EM_X86_64)
		return error_set(
			error, ERROR_INPUT, 0, 0,
			"%s is for another machine (e_machine %u, not x86-64): compile it for x86-64",
			object->name, header->e_machine);
	if (header->e_type != ET_REL)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s is linked already: a module is a relocatable object, as cc -c makes it",
				 object->name);
	return 0;
}

/* ---- sections ---- */

static int section_error(const struct module_object *object, const struct module_section *section,
			 const char *what, struct error *error)
{
	char name[64];

	return error_set(error, ERROR_INPUT, 0, 0, "%s: section %" PRIu64 " (%s) %s", object->name,
			 section->index,
			 text_escape(section->name, strlen(section->name), name, sizeof(name)), what);
}

static enum module_part part_of(const Elf64_Shdr *header)
{
	if (header->sh_flags & SHF_EXECINSTR)
		return MODULE_TEXT;
	return header->sh_flags & SHF_WRITE ? MODULE_DATA : MODULE_RODATA;
}

static int section_check(const struct module_object *object, const Elf64_Shdr *header,
			 const struct module_section *section, struct error *error)
{
	if (header->sh_flags & SHF_WRITE && header->sh_flags & SHF_EXECINSTR)
		return section_error(object, section, "is writable and executable: use one of the two",
				     error);
	if (header->sh_flags & SHF_TLS)
		return section_error(object, section, "is thread-local: a kernel has no threads' data",
				     error);
	if (header->sh_flags & SHF_COMPRESSED)
		return section_error(object, section, "is compressed", error);
	if (section->align & (section->align - 1) || section->align > KVMAP_PAGE_SIZE)
		return section_error(object, section, "has an alignment that is no power of two up to 4096",
				     error);
	if (section->size > MODULE_SIZE_MAX)
		return section_error(object, section, "is larger than 64 MiB", error);
	if (header->sh_type != SHT_NOBITS && !section->bytes)
		return section_error(object, section, "lies outside the file: the file is truncated", error);
	return 0;
}

/* Adds the section if it occupies memory. */
static int section_add(struct module_object *object, uint64_t index, const char *names, uint64_t names_size,
		       struct error *error)
{
	Elf64_Shdr header;
	struct module_section section;

	if (!elf_image_section(&object->image, index, &header))
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: section header %" PRIu64
				 " lies outside the file: the file is truncated",
				 object->name, index);
	if (!(header.sh_flags & SHF_ALLOC) || !header.sh_size)
		return 0;
	section = (struct module_section){
		.index = index,
		.name = header.sh_name < names_size ? names + header.sh_name : nameless,
		.part = part_of(&header),
		.size = header.sh_size,
		.align = header.sh_addralign ? header.sh_addralign : 1,
	};
	if (header.sh_type != SHT_NOBITS)
		section.bytes = elf_image_bytes(&object->image, header.sh_offset, header.sh_size);
	if (section_check(object, &header, &section, error) < 0)
		return -1;
	if (array_push(&object->sections, section) < 0)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "%s cannot be read", object->name);
	return 0;
}

static int sections_read(struct module_object *object, struct error *error)
{
	uint64_t count = elf_image_sections(&object->image), names_size = 0;
	const char *names = names_of(&object->image, names_index(&object->image), &names_size);

	if (!names)
		return error_set(error, ERROR_INPUT, 0, 0, "%s has no names of sections: the file is damaged",
				 object->name);
	for (uint64_t i = 1; i < count; i++) {
		if (section_add(object, i, names, names_size, error) < 0)
			return -1;
	}
	if (!object->sections.count)
		return error_set(error, ERROR_INPUT, 0, 0, "%s has neither code nor data", object->name);
	return 0;
}

const struct module_section *module_object_section(const struct module_object *object, uint64_t index)
{
	size_t low = 0, high = object->sections.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (object->sections.items[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low < object->sections.count && object->sections.items[low].index == index
		       ? &object->sections.items[low]
		       : NULL;
}

/* ---- symbols ---- */

/* Finds the symbol table: at most one, as the format has it. */
static int symbols_find(struct module_object *object, struct error *error)
{
	uint64_t count = elf_image_sections(&object->image);
	Elf64_Shdr header;

	for (uint64_t i = 1; i < count && elf_image_section(&object->image, i, &header); i++) {
		if (header.sh_type != SHT_SYMTAB)
			continue;
		object->symbols = elf_image_bytes(&object->image, header.sh_offset, header.sh_size);
		object->strings = names_of(&object->image, header.sh_link, &object->strings_size);
		if (!object->symbols || !object->strings || header.sh_entsize != sizeof(Elf64_Sym))
			return error_set(error, ERROR_INPUT, 0, 0, "%s: its symbol table is damaged",
					 object->name);
		object->symbol_count = header.sh_size / sizeof(Elf64_Sym);
		return 0;
	}
	return 0;
}

bool module_object_symbol(const struct module_object *object, uint64_t index, Elf64_Sym *out,
			  const char **name_out)
{
	if (index >= object->symbol_count)
		return false;
	memcpy(out, object->symbols + index * sizeof(*out), sizeof(*out));
	*name_out = out->st_name < object->strings_size ? object->strings + out->st_name : nameless;
	return true;
}

/* ---- open ---- */

int module_object_open(const char *name, const void *bytes, size_t size, struct module_object *out,
		       struct error *error)
{
	struct module_object object = { .name = name };

	if (!elf_image_open(bytes, size, &object.image))
		return error_set(error, ERROR_INPUT, 0, 0, "%s is no 64-bit little-endian ELF file", name);
	if (header_check(&object, error) < 0 || sections_read(&object, error) < 0 ||
	    symbols_find(&object, error) < 0 || module_layout(&object, error) < 0) {
		module_object_close(&object);
		return -1;
	}
	*out = object;
	return 0;
}

void module_object_close(struct module_object *object)
{
	free(object->sections.items);
	*object = (struct module_object){ 0 };
}
