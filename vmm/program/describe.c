/* SPDX-License-Identifier: MIT */
/*
 * describe.c: "vmalloc+0x12 (vmalloc.c:123)", by libdwfl from the file alone: no search for separate debug
 * files, no debuginfod.
 */
#include "program/describe.h"
#include "base/escape.h"
#include "program/symbols.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct describe {
	Dwfl_Callbacks callbacks; /* libdwfl keeps a pointer to it */
	Dwfl *dwfl;
	Dwfl_Module *module;
};

static int no_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base, char **path, Elf **elf)
{
	(void)module, (void)data, (void)name, (void)base, (void)path, (void)elf;
	return -1;
}

static int no_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base, const char *path,
			const char *link, GElf_Word crc, char **found)
{
	(void)module, (void)data, (void)name, (void)base, (void)path, (void)link, (void)crc, (void)found;
	return -1;
}

struct describe *describe_open(const char *name, int fd)
{
	struct describe *describe = calloc(1, sizeof(*describe));
	int own;

	if (!describe)
		return NULL;
	describe->callbacks.find_elf = no_elf;
	describe->callbacks.find_debuginfo = no_debuginfo;
	describe->dwfl = dwfl_begin(&describe->callbacks);
	own = describe->dwfl ? dup(fd) : -1;
	if (own >= 0) {
		dwfl_report_begin(describe->dwfl);
		describe->module = dwfl_report_elf(describe->dwfl, name, name, own, 0, false);
		dwfl_report_end(describe->dwfl, NULL, NULL);
		if (!describe->module)
			close(own);
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
 * The unit is looked for by its own ranges: dwfl_module_getsrc relies on .debug_aranges, which clang does not
 * write. *bias_out: of the addresses in memory over those in the file.
 */
static Dwarf_Die *unit_of(struct describe *describe, uint64_t address, Dwarf_Addr *bias_out)
{
	Dwarf_Die *unit = NULL;

	while ((unit = dwfl_module_nextcu(describe->module, unit, bias_out)))
		if (dwarf_haspc(unit, address - *bias_out) > 0)
			return unit;
	return NULL;
}

/* " (vmalloc.c:123)", or "" where there is none. Returns out. */
static const char *line_text(const char *path, int number, char *out, size_t size)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	char escaped[64];

	out[0] = '\0';
	path = slash ? slash + 1 : path;
	if (path)
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

/* The line from which an inlined function was called. */
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

/* "vmalloc+0x12" and what kind of symbol it is; false and "" where there is none. */
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
	if (unit)
		address_line(unit, address - bias, line, sizeof(line));
	snprintf(out, size, "%s%s", name, line);
	return out;
}

/*
 * "outl (io.h:17) in " for each function that is inlined at the address, innermost first. `line` is that of
 * the address, and becomes that of the outermost call. Returns the bytes written.
 */
static size_t inlined_text(Dwarf_Die *unit, Dwarf_Addr address, char *line, size_t line_size, char *out,
			   size_t size)
{
	Dwarf_Die *scopes = NULL;
	char escaped[64];
	size_t used = 0;
	int count = dwarf_getscopes(unit, address, &scopes);

	for (int i = 0; i < count && used < size; i++) {
		const char *name = dwarf_diename(&scopes[i]);

		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
			break;
		if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine || !name)
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s%s in ",
					 text_escape(name, strlen(name), escaped, sizeof(escaped)), line);
		call_line(unit, &scopes[i], line, line_size);
	}
	free(scopes);
	return used < size ? used : size - 1;
}

const char *describe_frame(struct describe *describe, uint64_t pc, bool exact, char *out, size_t size)
{
	/* A call that never returns may be the last instruction of its function. */
	uint64_t address = exact ? pc : pc - 1;
	char name[160], line[96] = "";
	size_t used = 0;
	Dwarf_Die *unit;
	Dwarf_Addr bias;
	int type;

	out[0] = '\0';
	if (!symbol_text(describe, address, !exact, name, sizeof(name), &type))
		return out;
	unit = unit_of(describe, address, &bias);
	if (unit) {
		address_line(unit, address - bias, line, sizeof(line));
		used = inlined_text(unit, address - bias, line, sizeof(line), out, size);
	}
	snprintf(out + used, size - used, "%s%s", name, line);
	return out;
}

Dwfl *describe_dwfl(const struct describe *describe)
{
	return describe->dwfl;
}
