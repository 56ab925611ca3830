/* SPDX-License-Identifier: MIT */
#include "module/relocate.h"

#include "base/escape.h"

#include <inttypes.h>
#include <string.h>

/* The object, where it lies, and what it is relocated against. */
struct relocation {
	const struct module_object *object;
	uint64_t address;
	const struct module_exports *exports;
	uint8_t *image;
	uint64_t left; /* bytes of relocations that a file of this size can have */
};

/* ---- symbols ---- */

static int symbol_error(const struct module_object *object, const char *name, const char *what,
			struct error *error)
{
	char text[128];

	return error_set(error, ERROR_INPUT, 0, 0, "%s: symbol %s %s", object->name,
			 text_escape(name, strlen(name), text, sizeof(text)), what);
}

/* A symbol without a section: the guest or another module exports it. */
static int external_address(const struct module_object *object, const struct module_exports *exports,
			    const Elf64_Sym *symbol, const char *name, uint64_t *out, struct error *error)
{
	if (*name && exports->find(exports->context, name, out))
		return 0;
	if (ELF64_ST_BIND(symbol->st_info) != STB_WEAK)
		return symbol_error(object, name, "is unresolved: neither the guest nor a module exports it",
				    error);
	*out = 0;
	return 0;
}

int module_symbol_address(const struct module_object *object, uint64_t address,
			  const struct module_exports *exports, uint64_t symbol, uint64_t *out,
			  struct error *error)
{
	const struct module_section *section;
	Elf64_Sym entry;
	const char *name;

	if (symbol == STN_UNDEF) {
		*out = 0;
		return 0;
	}
	if (!module_object_symbol(object, symbol, &entry, &name))
		return error_set(error, ERROR_INPUT, 0, 0, "%s: there is no symbol %" PRIu64, object->name,
				 symbol);
	switch (entry.st_shndx) {
	case SHN_UNDEF: return external_address(object, exports, &entry, name, out, error);
	case SHN_ABS: *out = entry.st_value; return 0;
	case SHN_COMMON: return symbol_error(object, name, "is common: compile with -fno-common", error);
	case SHN_XINDEX: return symbol_error(object, name, "is in a section above 65279", error);
	default: break;
	}
	section = module_object_section(object, entry.st_shndx);
	if (!section)
		return symbol_error(object, name, "is in a section that occupies no memory", error);
	if (entry.st_value > section->size)
		return symbol_error(object, name, "lies outside its section", error);
	*out = address + section->offset + entry.st_value;
	return 0;
}

/* ---- relocations ---- */

/* How a type's value is computed and stored. */
struct kind {
	unsigned int bytes;
	bool relative;     /* to the place */
	bool zero_extends; /* 4 bytes that the processor zero-extends; else it sign-extends them */
};

static bool kind_of(uint32_t type, struct kind *out)
{
	switch (type) {
	case R_X86_64_64: *out = (struct kind){ 8, false, false }; return true;
	case R_X86_64_PC64: *out = (struct kind){ 8, true, false }; return true;
	case R_X86_64_32: *out = (struct kind){ 4, false, true }; return true;
	case R_X86_64_32S: *out = (struct kind){ 4, false, false }; return true;
	case R_X86_64_PC32:
	case R_X86_64_PLT32: *out = (struct kind){ 4, true, false }; return true;
	default: return false;
	}
}

static bool value_fits(const struct kind *kind, uint64_t value)
{
	if (kind->bytes == 8)
		return true;
	return kind->zero_extends ? value == (uint32_t)value : value == (uint64_t)(int64_t)(int32_t)value;
}

static int place_error(const struct relocation *work, const struct module_section *section,
		       const Elf64_Rela *entry, const char *what, struct error *error)
{
	char name[64];

	return error_set(error, ERROR_INPUT, 0, entry->r_offset,
			 "%s: %s+0x%" PRIx64 ": relocation of type %" PRIu64 " %s", work->object->name,
			 text_escape(section->name, strlen(section->name), name, sizeof(name)),
			 entry->r_offset, (uint64_t)ELF64_R_TYPE(entry->r_info), what);
}

static int apply(const struct relocation *work, const struct module_section *section, const Elf64_Rela *entry,
		 struct error *error)
{
	struct kind kind;
	uint64_t value, place;

	if (ELF64_R_TYPE(entry->r_info) == R_X86_64_NONE)
		return 0;
	if (!kind_of(ELF64_R_TYPE(entry->r_info), &kind))
		return place_error(work, section, entry, "is unknown: compile with -mcmodel=kernel -fno-pic",
				   error);
	if (entry->r_offset > section->size || kind.bytes > section->size - entry->r_offset)
		return place_error(work, section, entry, "lies outside its section", error);
	if (!section->bytes)
		return place_error(work, section, entry, "is in a section of zeros", error);
	if (module_symbol_address(work->object, work->address, work->exports, ELF64_R_SYM(entry->r_info),
				  &value, error) < 0)
		return -1;
	place = section->offset + entry->r_offset;
	value += (uint64_t)entry->r_addend;
	if (kind.relative)
		value -= work->address + place;
	if (!value_fits(&kind, value))
		return place_error(work, section, entry, "has a value that does not fit", error);
	memcpy(work->image + place, &value, kind.bytes);
	return 0;
}

/* Applies a section of relocations, if it is one of a section that occupies memory. */
static int apply_section(struct relocation *work, const Elf64_Shdr *header, struct error *error)
{
	const struct module_section *section = module_object_section(work->object, header->sh_info);
	const uint8_t *entries;

	if (!section)
		return 0;
	entries = elf_image_bytes(&work->object->image, header->sh_offset, header->sh_size);
	if (header->sh_type == SHT_REL || !entries || header->sh_entsize != sizeof(Elf64_Rela) ||
	    header->sh_size > work->left)
		return error_set(error, ERROR_INPUT, 0, header->sh_offset,
				 "%s: its relocations are damaged, or have no addends", work->object->name);
	work->left -= header->sh_size;
	for (uint64_t i = 0; i < header->sh_size / sizeof(Elf64_Rela); i++) {
		Elf64_Rela entry;

		memcpy(&entry, entries + i * sizeof(entry), sizeof(entry));
		if (apply(work, section, &entry, error) < 0)
			return -1;
	}
	return 0;
}

int module_relocate(const struct module_object *object, uint64_t address,
		    const struct module_exports *exports, uint8_t *image, struct error *error)
{
	struct relocation work = { object, address, exports, image, object->image.size };
	uint64_t count = elf_image_sections(&object->image);
	Elf64_Shdr header;

	memset(image, 0, object->span);
	for (size_t i = 0; i < object->sections.count; i++) {
		const struct module_section *section = &object->sections.items[i];

		if (section->bytes)
			memcpy(image + section->offset, section->bytes, section->size);
	}
	for (uint64_t i = 1; i < count && elf_image_section(&object->image, i, &header); i++) {
		if ((header.sh_type == SHT_RELA || header.sh_type == SHT_REL) &&
		    apply_section(&work, &header, error) < 0)
			return -1;
	}
	return 0;
}
