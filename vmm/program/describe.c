/* SPDX-License-Identifier: MIT */
/*
 * describe.c: names and lines by libdwfl, from the file alone: no separate debug files, no debuginfod.
 */
#include "program/describe.h"
#include "base/page.h"
#include "base/strbuf.h"
#include "base/escape.h"
#include "program/program_file.h"
#include "program/symbols.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCOPES_MAX      32      /* nested scopes that are read in one function */
#define SCOPES_READ_MAX 1000000 /* scopes of one function, against damaged files */

struct describe {
	Dwfl_Callbacks callbacks; /* libdwfl holds a pointer to it */
	Dwfl *dwfl;
	Dwfl_Module *module;
};

/* *data is the file, of a module that report_at() has reported. */
static int find_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base, char **path,
		    Elf **elf)
{
	const struct program_file *file = *data;

	(void)module, (void)name, (void)base, (void)path, (void)elf;
	return file ? dup(file->file.fd) : -1;
}

static int no_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base, const char *path,
			const char *link, GElf_Word crc, char **found)
{
	(void)module, (void)data, (void)name, (void)base, (void)path, (void)link, (void)crc, (void)found;
	return -1;
}

/* Reports the file where it is linked. */
static Dwfl_Module *report_linked(Dwfl *dwfl, const struct program_file *file)
{
	int own = dup(file->file.fd);
	Dwfl_Module *module =
		own < 0 ? NULL : dwfl_report_elf(dwfl, file->file.name, file->file.name, own, 0, false);

	if (own >= 0 && !module)
		close(own);
	return module;
}

/*
 * Reports the file at an offset to where it is linked, which dwfl_report_elf() allows for shared libraries alone.
 * libdwfl takes the distance of the module's start from the first segment's, rounded down to its alignment.
 */
static Dwfl_Module *report_at(Dwfl *dwfl, const struct program_file *file, uint64_t offset)
{
	uint64_t start = 0, end = 0;
	Elf64_Phdr header;
	Dwfl_Module *module;
	void **data;

	for (uint32_t i = 0; elf_image_segment(&file->image, i, &header); i++) {
		if (header.p_type != PT_LOAD || header.p_memsz > UINT64_MAX - header.p_vaddr)
			continue;
		if (!end)
			start = header.p_align ? header.p_vaddr & -header.p_align : header.p_vaddr;
		if (header.p_vaddr + header.p_memsz > end)
			end = header.p_vaddr + header.p_memsz;
	}
	module = dwfl_report_module(dwfl, file->file.name, start + offset, end + offset);
	if (module && dwfl_module_info(module, &data, NULL, NULL, NULL, NULL, NULL, NULL))
		*data = (void *)(uintptr_t)file;
	return module;
}

struct describe *describe_open(const struct symbols *symbols)
{
	struct describe *describe = calloc(1, sizeof(*describe));
	const struct program_file *file = symbols_file(symbols);

	if (!describe)
		return NULL;
	describe->callbacks.find_elf = find_elf;
	describe->callbacks.find_debuginfo = no_debuginfo;
	describe->dwfl = dwfl_begin(&describe->callbacks);
	if (describe->dwfl) {
		dwfl_report_begin(describe->dwfl);
		describe->module = symbols_offset(symbols)
					   ? report_at(describe->dwfl, file, symbols_offset(symbols))
					   : report_linked(describe->dwfl, file);
		dwfl_report_end(describe->dwfl, NULL, NULL);
	}
	if (!describe->module) {
		describe_close(describe);
		return NULL;
	}
	return describe;
}

void describe_close(struct describe *describe)
{
	if (!describe)
		return;
	dwfl_end(describe->dwfl);
	free(describe);
}

/*
 * The compilation unit of an address, by the ranges of the units: dwfl_module_getsrc needs .debug_aranges,
 * which clang does not write. *bias_out: addresses in memory minus those in the file.
 */
static Dwarf_Die *unit_of(struct describe *describe, uint64_t address, Dwarf_Addr *bias_out)
{
	Dwarf_Die *unit = NULL;

	while ((unit = dwfl_module_nextcu(describe->module, unit, bias_out)))
		if (dwarf_haspc(unit, address - *bias_out) > 0)
			return unit;
	return NULL;
}

/* " (vmalloc.c:123)"; "" without a path, or with number 0, which is no line (DWARF 5, 6.2.2). Returns out. */
static const char *line_text(const char *path, int number, char *out, size_t size)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	char escaped[64];

	out[0] = '\0';
	path = slash ? slash + 1 : path;
	if (path && number > 0)
		snprintf(out, size, " (%s:%d)", text_escape(path, strlen(path), escaped, sizeof(escaped)),
			 number);
	return out;
}

/* The line of an address of the unit, which may be NULL. */
static const char *address_line(Dwarf_Die *unit, Dwarf_Addr address, char *out, size_t size)
{
	Dwarf_Line *line = unit ? dwarf_getsrc_die(unit, address) : NULL;
	int number = 0;

	if (!line || dwarf_lineno(line, &number) < 0)
		return line_text(NULL, 0, out, size);
	return line_text(dwarf_linesrc(line, NULL, NULL), number, out, size);
}

/* The line of the call to an inlined function. */
static const char *call_line(Dwarf_Die *unit, Dwarf_Die *inlined, char *out, size_t size)
{
	Dwarf_Attribute attribute;
	Dwarf_Word file = 0, number = 0;
	Dwarf_Files *files;
	size_t count;

	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) < 0 ||
	    dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &number) < 0 ||
	    dwarf_getsrcfiles(unit, &files, &count) < 0 || file >= count || number > INT_MAX)
		return line_text(NULL, 0, out, size);
	return line_text(dwarf_filesrc(files, file, NULL, NULL), (int)number, out, size);
}

/* "vmalloc+0x12" and the type of the symbol (STT_FUNC ...); false and "" if there is none. */
static bool symbol_text(struct describe *describe, uint64_t address, uint64_t shown_offset, char *out,
			size_t size, int *type_out)
{
	char escaped[128];
	GElf_Off offset = 0;
	const char *name;
	GElf_Sym symbol;

	out[0] = '\0';
	if (!describe || dwfl_addrmodule(describe->dwfl, address) != describe->module)
		return false;
	name = dwfl_module_addrinfo(describe->module, address, &offset, &symbol, NULL, NULL, NULL);
	if (!name)
		return false;
	text_escape(name, strlen(name), escaped, sizeof(escaped));
	offset += shown_offset;
	if (offset)
		snprintf(out, size, "%s+0x%llx", escaped, (unsigned long long)offset);
	else
		snprintf(out, size, "%s", escaped);
	*type_out = GELF_ST_TYPE(symbol.st_info);
	return true;
}

/*
 * The bytes after the end of a function, which align the next one: "vmalloc+0x12, after its end". False if no function
 * ends in the page before the address.
 */
static bool padding_text(struct describe *describe, uint64_t address, char *out, size_t size)
{
	int count = describe ? dwfl_module_getsymtab(describe->module) : 0;
	uint64_t nearest = 0;
	char escaped[128];

	out[0] = '\0';
	for (int i = 0; i < count; i++) {
		GElf_Addr start;
		GElf_Sym symbol;
		const char *name =
			dwfl_module_getsym_info(describe->module, i, &symbol, &start, NULL, NULL, NULL);

		if (!name || GELF_ST_TYPE(symbol.st_info) != STT_FUNC || !symbol.st_size || start > address ||
		    address - start < symbol.st_size || address - start - symbol.st_size >= PAGE_4K ||
		    start < nearest)
			continue;
		nearest = start;
		snprintf(out, size, "%s+0x%" PRIx64 ", after its end",
			 text_escape(name, strlen(name), escaped, sizeof(escaped)), address - start);
	}
	return *out;
}

/* The size of the range of the scope's code that contains the address; 0 if none does. */
static Dwarf_Addr range_around(Dwarf_Die *scope, Dwarf_Addr address)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(scope, at, &base, &low, &high)) > 0)
		if (address >= low && address < high)
			return high - low;
	return 0;
}

/* The function of the unit, not inlined, whose code the address is in. */
static bool function_at(const Dwarf_Die *unit, Dwarf_Addr address, Dwarf_Die *function)
{
	Dwarf_Die outer = *unit, next;
	bool more;

	for (more = dwarf_child(&outer, function) == 0; more; *function = next) {
		if (dwarf_tag(function) == DW_TAG_subprogram && range_around(function, address))
			return true;
		more = dwarf_siblingof(function, &next) == 0 && next.addr > function->addr;
	}
	return false;
}

/*
 * The symbol of a part that the compiler has made of a function ("zone_alloc.part.0+0x12") becomes the function's name
 * in DWARF, without the offset, which is not one into that function.
 */
static void use_dwarf_name(const Dwarf_Die *unit, Dwarf_Addr address, char *name, size_t size)
{
	const char *own;
	Dwarf_Die function;
	char escaped[128];
	size_t length;

	if (!strchr(name, '.') || !function_at(unit, address, &function))
		return;
	own = dwarf_diename(&function);
	if (!own)
		return;
	length = strlen(text_escape(own, strlen(own), escaped, sizeof(escaped)));
	if (length && !strncmp(name, escaped, length) && name[length] == '.')
		snprintf(name, size, "%s", escaped);
}

const char *describe_address(struct describe *describe, uint64_t address, char *out, size_t size)
{
	char name[160], line[96] = "";
	Dwarf_Die *unit;
	Dwarf_Addr bias;
	int type;

	if (size)
		out[0] = '\0';
	if (!symbol_text(describe, address, 0, name, sizeof(name), &type))
		return out;
	unit = type == STT_OBJECT ? NULL : unit_of(describe, address, &bias);
	if (unit) {
		address_line(unit, address - bias, line, sizeof(line));
		use_dwarf_name(unit, address - bias, name, sizeof(name));
	}
	snprintf(out, size, "%s%s", name, line);
	return out;
}

/* The inlined functions at an address: the chain down to the one whose range of code around it is the smallest. */
struct inline_search {
	Dwarf_Addr address;
	Dwarf_Die path[SCOPES_MAX], best[SCOPES_MAX]; /* outermost first */
	size_t path_count, best_count;
	Dwarf_Addr smallest;
	unsigned int left; /* scopes that may still be read */
};

/* The inner one of equal ranges counts. */
static void take_scope(struct inline_search *search, Dwarf_Die *scope)
{
	Dwarf_Addr size = range_around(scope, search->address);

	if (!size || size > search->smallest)
		return;
	search->smallest = size;
	search->best_count = search->path_count;
	memcpy(search->best, search->path, search->path_count * sizeof(search->path[0]));
}

/*
 * Searches a function's scopes. A block need not have a range, nor an inlined function lie in that of the function
 * around it: compilers move code. `depth` scopes are around these, and no more of them in search->path.
 */
static void search_scope(struct inline_search *search, Dwarf_Die *outer, unsigned int depth)
{
	Dwarf_Die scope, next;
	bool more;

	for (more = dwarf_child(outer, &scope) == 0; more && search->left; scope = next) {
		int tag = dwarf_tag(&scope);
		bool inlined = tag == DW_TAG_inlined_subroutine;

		search->left--;
		if (inlined) {
			search->path[search->path_count++] = scope;
			take_scope(search, &scope);
		}
		if ((inlined || tag == DW_TAG_lexical_block) && depth + 1 < SCOPES_MAX)
			search_scope(search, &scope, depth + 1);
		search->path_count -= inlined;
		more = dwarf_siblingof(&scope, &next) == 0 && next.addr > scope.addr;
	}
}

/* The inlined functions at the address, outermost first. Returns their number, at most SCOPES_MAX. */
static size_t inlined_at(const Dwarf_Die *unit, Dwarf_Addr address, Dwarf_Die out[SCOPES_MAX])
{
	struct inline_search search = { .address = address, .left = SCOPES_READ_MAX };
	Dwarf_Die function;

	if (function_at(unit, address, &function)) {
		search.smallest = range_around(&function, address);
		search_scope(&search, &function, 0);
	}
	memcpy(out, search.best, search.best_count * sizeof(out[0]));
	return search.best_count;
}

/*
 * "outl (io.h:17) in " for each function that is inlined at the address, innermost first. `line` is that of
 * the address, and becomes that of the outermost call.
 */
static void inlined_text(Dwarf_Die *unit, Dwarf_Addr address, char *line, size_t line_size,
			 struct strbuf *out)
{
	Dwarf_Die inlined[SCOPES_MAX];
	char escaped[64];

	for (size_t i = inlined_at(unit, address, inlined); i-- > 0;) {
		const char *name = dwarf_diename(&inlined[i]);

		if (!name)
			continue;
		strbuf_add(out, "%s%s in ", text_escape(name, strlen(name), escaped, sizeof(escaped)), line);
		call_line(unit, &inlined[i], line, line_size);
	}
}

const char *describe_frame(struct describe *describe, uint64_t pc, bool exact, char *out, size_t size)
{
	/* A call that never returns may be the last instruction of its function. */
	uint64_t address = exact ? pc : pc - 1;
	char name[160], line[96] = "";
	struct strbuf text = strbuf_of(out, size);
	Dwarf_Die *unit;
	Dwarf_Addr bias;
	int type;

	if (!symbol_text(describe, address, !exact, name, sizeof(name), &type) &&
	    !padding_text(describe, address, name, sizeof(name)))
		return out;
	unit = unit_of(describe, address, &bias);
	if (unit) {
		use_dwarf_name(unit, address - bias, name, sizeof(name));
		address_line(unit, address - bias, line, sizeof(line));
		inlined_text(unit, address - bias, line, sizeof(line), &text);
	}
	strbuf_add(&text, "%s%s", name, line);
	return out;
}

bool describe_is_padding(struct describe *describe, uint64_t address)
{
	char name[160];
	int type;

	return !symbol_text(describe, address, 0, name, sizeof(name), &type) &&
	       padding_text(describe, address, name, sizeof(name));
}

Dwfl *describe_dwfl(const struct describe *describe)
{
	return describe->dwfl;
}
