/* SPDX-License-Identifier: MIT */
/*
 * symbols.c: the symbol table and the segments of the guest's ELF file. symbols_open puts all names into a
 * hash table.
 */
#include "program/symbols.h"
#include "base/escape.h"
#include "base/spelling.h"
#include "program/describe.h"
#include "program/program_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct symbols {
	struct program_file file;
	const uint8_t *table; /* in the file: Elf64_Syms, which need not be aligned */
	size_t count;
	const char *names;
	size_t names_size; /* the last byte is NUL */
	uint32_t *slots;   /* open addressing: index into table, 0 = empty (entry 0 is the null symbol) */
	size_t slot_mask;
	struct symbols_segment *segments;
	size_t segment_count;
	uint64_t offset;
	struct describe *describe; /* NULL until the first use, and after another offset */
};

/* FNV-1a. */
static uint32_t name_hash(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
}

static Elf64_Sym symbol_at(const struct symbols *symbols, size_t index)
{
	Elf64_Sym symbol;

	memcpy(&symbol, symbols->table + index * sizeof(symbol), sizeof(symbol));
	return symbol;
}

static const char *symbol_name(const struct symbols *symbols, const Elf64_Sym *symbol)
{
	return symbol->st_name < symbols->names_size ? symbols->names + symbol->st_name : "";
}

/* The symbol has an address in memory. */
static bool symbol_has_address(const Elf64_Sym *symbol)
{
	unsigned int type = ELF64_ST_TYPE(symbol->st_info);

	return symbol->st_shndx != SHN_UNDEF && type != STT_FILE && type != STT_SECTION && type != STT_TLS;
}

/* The slot of `name`, or the empty one for it. */
static size_t slot_of(const struct symbols *symbols, const char *name)
{
	size_t slot = name_hash(name) & symbols->slot_mask;

	while (symbols->slots[slot]) {
		const Elf64_Sym symbol = symbol_at(symbols, symbols->slots[slot]);

		if (!strcmp(symbol_name(symbols, &symbol), name))
			break;
		slot = (slot + 1) & symbols->slot_mask;
	}
	return slot;
}

/* Fills the hash table. If several symbols have one name, a global one counts, else the first. */
static int symbols_index(struct symbols *symbols, struct error *error)
{
	size_t slots = 16, slot;

	while (slots < symbols->count * 2)
		slots *= 2;
	symbols->slots = calloc(slots, sizeof(*symbols->slots));
	if (!symbols->slots)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory for the symbols of %s",
				 symbols->file.file.name);
	symbols->slot_mask = slots - 1;
	for (size_t i = 1; i < symbols->count; i++) {
		const Elf64_Sym symbol = symbol_at(symbols, i);

		if (!symbol_has_address(&symbol) || !*symbol_name(symbols, &symbol))
			continue;
		slot = slot_of(symbols, symbol_name(symbols, &symbol));
		if (!symbols->slots[slot] || ELF64_ST_BIND(symbol.st_info) == STB_GLOBAL)
			symbols->slots[slot] = (uint32_t)i;
	}
	return 0;
}

/* The header of the first symbol table; false if there is none. */
static bool find_table(const struct elf_image *image, Elf64_Shdr *out)
{
	uint64_t count = elf_image_sections(image);

	for (uint64_t i = 0; i < count && elf_image_section(image, i, out); i++)
		if (out->sh_type == SHT_SYMTAB)
			return true;
	return false;
}

static int symbols_load_table(struct symbols *symbols, struct error *error)
{
	const struct elf_image *image = &symbols->file.image;
	const char *name = symbols->file.file.name;
	const uint8_t *table, *text = NULL;
	Elf64_Shdr header, names;

	if (!find_table(image, &header))
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s has no symbol table: it is stripped or truncated", name);
	table = elf_image_bytes(image, header.sh_offset, header.sh_size);
	if (elf_image_section(image, header.sh_link, &names) && names.sh_size)
		text = elf_image_bytes(image, names.sh_offset, names.sh_size);
	if (!table || !text)
		return error_set(error, ERROR_INPUT, 0, header.sh_offset,
				 "%s is truncated: its symbol table is not all there", name);
	if (text[names.sh_size - 1] || header.sh_size / sizeof(Elf64_Sym) > UINT32_MAX)
		return error_set(error, ERROR_INPUT, 0, header.sh_offset, "%s has a damaged symbol table",
				 name);
	symbols->table = table;
	symbols->count = header.sh_size / sizeof(Elf64_Sym);
	symbols->names = (const char *)text;
	symbols->names_size = names.sh_size;
	return symbols_index(symbols, error);
}

static int symbols_load_segments(struct symbols *symbols, struct error *error)
{
	const struct private_file *file = &symbols->file.file;
	const struct elf_image *image = &symbols->file.image;
	uint32_t count = elf_image_segments(image);
	Elf64_Phdr header;

	if (!count || !elf_image_segment(image, count - 1, &header))
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s has no program headers: not a program, or truncated", file->name);
	symbols->segments = calloc(count, sizeof(*symbols->segments));
	if (!symbols->segments)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory for the segments of %s", file->name);
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *bytes;

		elf_image_segment(image, i, &header);
		/* Linux's per-CPU data is linked at 0, beside the kernel's image: an offset, no address. */
		if (header.p_type != PT_LOAD || (!header.p_vaddr && symbols->segment_count))
			continue;
		bytes = elf_image_bytes(image, header.p_offset, header.p_filesz);
		if (!bytes)
			return error_set(error, ERROR_INPUT, 0, header.p_offset,
					 "%s is truncated: segment %u is beyond its end", file->name, i);
		if (header.p_filesz > header.p_memsz)
			return error_set(error, ERROR_INPUT, 0, header.p_offset,
					 "%s: segment %u is larger in the file than in memory", file->name,
					 i);
		symbols->segments[symbols->segment_count++] = (struct symbols_segment){
			.gva = header.p_vaddr,
			.gpa = header.p_paddr,
			.memory_size = header.p_memsz,
			.file_size = header.p_filesz,
			.bytes = bytes,
			.writable = header.p_flags & PF_W,
			.executable = header.p_flags & PF_X,
		};
	}
	return 0;
}

int symbols_open(const char *path, struct symbols **out, struct error *error)
{
	struct private_file file;

	return private_file_read(path, "", &file, error) < 0 ? -1 : symbols_open_file(&file, out, error);
}

int symbols_open_file(struct private_file *file, struct symbols **out, struct error *error)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));

	if (!symbols) {
		private_file_close(file);
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	}
	if (program_file_open(file, &symbols->file, error) < 0) {
		free(symbols);
		return -1;
	}
	if (symbols_load_segments(symbols, error) < 0 || symbols_load_table(symbols, error) < 0) {
		symbols_close(symbols);
		return -1;
	}
	*out = symbols;
	return 0;
}

void symbols_close(struct symbols *symbols)
{
	if (!symbols)
		return;
	describe_close(symbols->describe);
	program_file_close(&symbols->file);
	free(symbols->slots);
	free(symbols->segments);
	free(symbols);
}

void symbols_set_offset(struct symbols *symbols, uint64_t offset)
{
	if (offset == symbols->offset)
		return;
	for (size_t i = 0; i < symbols->segment_count; i++)
		symbols->segments[i].gva += offset - symbols->offset;
	symbols->offset = offset;
	describe_close(symbols->describe);
	symbols->describe = NULL;
}

uint64_t symbols_offset(const struct symbols *symbols)
{
	return symbols->offset;
}

bool symbols_are_own(const struct symbols *symbols)
{
	static const char *const names[] = { "agent_inside", "agent_variables", "vmap_area_root", "zones" };
	uint64_t ignored;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!symbols_find(symbols, names[i], &ignored, NULL))
			return false;
	return !symbols->offset;
}

bool symbols_find(const struct symbols *symbols, const char *name, uint64_t *address_out, uint64_t *size_out)
{
	size_t index = symbols->slots[slot_of(symbols, name)];
	Elf64_Sym symbol;

	if (!index)
		return false;
	symbol = symbol_at(symbols, index);
	*address_out = symbol.st_value + symbols->offset;
	if (size_out)
		*size_out = symbol.st_size;
	return true;
}

const char *symbols_nearest(const struct symbols *symbols, const char *name)
{
	size_t length = strlen(name), best = spelling_tolerance(length) + 1;
	const char *nearest = NULL;

	for (size_t i = 1; i < symbols->count; i++) {
		const Elf64_Sym symbol = symbol_at(symbols, i);
		size_t distance;

		if (!symbol_has_address(&symbol))
			continue;
		distance = spelling_distance(name, length, symbol_name(symbols, &symbol));
		if (distance < best && distance < length) {
			nearest = symbol_name(symbols, &symbol);
			best = distance;
		}
	}
	return nearest;
}

/* NULL if libdwfl cannot use the file. */
static struct describe *describe_of(struct symbols *symbols)
{
	if (!symbols->describe)
		symbols->describe = describe_open(symbols);
	return symbols->describe;
}

/* Without libdwfl: "vmalloc+0x12" from the symbol table; `after`: what is added to the offset. */
static const char *describe_by_table(const struct symbols *symbols, uint64_t address, unsigned int after,
				     char *out, size_t size)
{
	const char *nearest = NULL;
	uint64_t offset = UINT64_MAX;
	char escaped[128];

	address -= symbols->offset;
	for (size_t i = 1; i < symbols->count; i++) {
		const Elf64_Sym symbol = symbol_at(symbols, i);

		if (!symbol_has_address(&symbol) || !*symbol_name(symbols, &symbol) ||
		    address < symbol.st_value || address - symbol.st_value >= symbol.st_size ||
		    address - symbol.st_value >= offset)
			continue;
		offset = address - symbol.st_value;
		nearest = symbol_name(symbols, &symbol);
	}
	if (size)
		out[0] = '\0';
	if (!nearest)
		return out;
	text_escape(nearest, strlen(nearest), escaped, sizeof(escaped));
	offset += after;
	if (offset)
		snprintf(out, size, "%s+0x%llx", escaped, (unsigned long long)offset);
	else
		snprintf(out, size, "%s", escaped);
	return out;
}

const char *symbols_describe(struct symbols *symbols, uint64_t address, char *out, size_t size)
{
	struct describe *describe = describe_of(symbols);

	return describe ? describe_address(describe, address, out, size)
			: describe_by_table(symbols, address, 0, out, size);
}

const char *symbols_describe_frame(struct symbols *symbols, uint64_t pc, bool exact, char *out, size_t size)
{
	struct describe *describe = describe_of(symbols);

	return describe ? describe_frame(describe, pc, exact, out, size)
			: describe_by_table(symbols, pc - !exact, !exact, out, size);
}

size_t symbols_segments(const struct symbols *symbols, const struct symbols_segment **out)
{
	*out = symbols->segments;
	return symbols->segment_count;
}

const struct program_file *symbols_file(const struct symbols *symbols)
{
	return &symbols->file;
}
