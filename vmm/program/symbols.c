/* SPDX-License-Identifier: MIT */
/*
 * symbols.c: the symbol table and the segments of the guest's ELF file. symbols_open puts all names into a
 * hash table.
 */
#include "program/symbols.h"
#include "base/spelling.h"
#include "program/describe.h"
#include "program/program_file.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

struct symbols {
	struct program_file file;
	const Elf64_Sym *table; /* in the file, or in libelf's copy of it */
	size_t count;
	const char *names;
	size_t names_size; /* the last byte is NUL */
	uint32_t *slots;   /* open addressing: index into table, 0 = empty (entry 0 is the null symbol) */
	size_t slot_mask;
	struct symbols_segment *segments;
	size_t segment_count;
	struct describe *describe; /* NULL until the first use */
};

/* FNV-1a. */
static uint32_t name_hash(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
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

	while (symbols->slots[slot] &&
	       strcmp(symbol_name(symbols, &symbols->table[symbols->slots[slot]]), name) != 0)
		slot = (slot + 1) & symbols->slot_mask;
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
				 symbols->file.name);
	symbols->slot_mask = slots - 1;
	for (size_t i = 1; i < symbols->count; i++) {
		const Elf64_Sym *symbol = &symbols->table[i];

		if (!symbol_has_address(symbol) || !*symbol_name(symbols, symbol))
			continue;
		slot = slot_of(symbols, symbol_name(symbols, symbol));
		if (!symbols->slots[slot] || ELF64_ST_BIND(symbol->st_info) == STB_GLOBAL)
			symbols->slots[slot] = (uint32_t)i;
	}
	return 0;
}

static int symbols_load_table(struct symbols *symbols, struct error *error)
{
	Elf *elf = symbols->file.elf;
	const char *name = symbols->file.name;
	GElf_Shdr header = { 0 };
	Elf_Scn *section = NULL;
	Elf_Data *table, *names;

	while ((section = elf_nextscn(elf, section))) {
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
			break;
	}
	if (!section)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s has no symbol table: it is stripped or truncated", name);
	table = elf_getdata(section, NULL);
	names = elf_getdata(elf_getscn(elf, header.sh_link), NULL);
	if (!table || !names || !table->d_buf || !names->d_buf || !names->d_size)
		return error_set(error, ERROR_INPUT, 0, header.sh_offset,
				 "%s is truncated: its symbol table is not all there", name);
	if (((const char *)names->d_buf)[names->d_size - 1] || table->d_size / sizeof(Elf64_Sym) > UINT32_MAX)
		return error_set(error, ERROR_INPUT, 0, header.sh_offset, "%s has a damaged symbol table",
				 name);
	symbols->table = table->d_buf;
	symbols->count = table->d_size / sizeof(Elf64_Sym);
	symbols->names = names->d_buf;
	symbols->names_size = names->d_size;
	return symbols_index(symbols, error);
}

static int symbols_load_segments(struct symbols *symbols, struct error *error)
{
	const struct program_file *file = &symbols->file;
	GElf_Phdr header;
	size_t count = 0;

	if (elf_getphdrnum(file->elf, &count) < 0 || !count)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s has no program headers: not a program, or truncated", file->name);
	symbols->segments = calloc(count, sizeof(*symbols->segments));
	if (!symbols->segments)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory for the segments of %s", file->name);
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(file->elf, (int)i, &header))
			return error_set(error, ERROR_INPUT, 0, 0, "%s is truncated: no program header %zu",
					 file->name, i);
		if (header.p_type != PT_LOAD)
			continue;
		if (header.p_offset > file->size || header.p_filesz > file->size - header.p_offset)
			return error_set(error, ERROR_INPUT, 0, header.p_offset,
					 "%s is truncated: segment %zu is beyond its end", file->name, i);
		if (header.p_filesz > header.p_memsz)
			return error_set(error, ERROR_INPUT, 0, header.p_offset,
					 "%s: segment %zu is larger in the file than in memory", file->name,
					 i);
		symbols->segments[symbols->segment_count++] = (struct symbols_segment){
			.gva = header.p_vaddr,
			.gpa = header.p_paddr,
			.memory_size = header.p_memsz,
			.file_size = header.p_filesz,
			.bytes = file->bytes + header.p_offset,
			.writable = header.p_flags & PF_W,
			.executable = header.p_flags & PF_X,
		};
	}
	return 0;
}

int symbols_open(const char *path, struct symbols **out, struct error *error)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));

	if (!symbols)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	if (program_file_open(path, &symbols->file, error) < 0) {
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

bool symbols_find(const struct symbols *symbols, const char *name, uint64_t *address_out, uint64_t *size_out)
{
	size_t index = symbols->slots[slot_of(symbols, name)];

	if (!index)
		return false;
	*address_out = symbols->table[index].st_value;
	if (size_out)
		*size_out = symbols->table[index].st_size;
	return true;
}

const char *symbols_nearest(const struct symbols *symbols, const char *name)
{
	size_t length = strlen(name), best = spelling_tolerance(length) + 1;
	const char *nearest = NULL;

	for (size_t i = 1; i < symbols->count; i++) {
		const Elf64_Sym *symbol = &symbols->table[i];
		size_t distance;

		if (!symbol_has_address(symbol))
			continue;
		distance = spelling_distance(name, length, symbol_name(symbols, symbol));
		if (distance < best && distance < length) {
			nearest = symbol_name(symbols, symbol);
			best = distance;
		}
	}
	return nearest;
}

/* NULL if libdwfl cannot use the file. */
static struct describe *describe_of(struct symbols *symbols)
{
	if (!symbols->describe)
		symbols->describe = describe_open(symbols->file.name, symbols->file.fd);
	return symbols->describe;
}

const char *symbols_describe(struct symbols *symbols, uint64_t address, char *out, size_t size)
{
	return describe_address(describe_of(symbols), address, out, size);
}

const char *symbols_describe_frame(struct symbols *symbols, uint64_t pc, bool exact, char *out, size_t size)
{
	return describe_frame(describe_of(symbols), pc, exact, out, size);
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
