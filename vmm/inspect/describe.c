/* SPDX-License-Identifier: MIT */
/*
 * describe.c: "vmalloc+0x12 (vmalloc.c:123)", by libdwfl from the file alone: no search for separate debug
 * files, no debuginfod.
 */
#include "inspect/describe.h"
#include "inspect/symbols.h"

#include <elfutils/libdwfl.h>
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
 * write.
 */
static Dwarf_Line *line_of(struct describe *describe, uint64_t address)
{
	Dwarf_Die *unit = NULL;
	Dwarf_Addr bias;

	while ((unit = dwfl_module_nextcu(describe->module, unit, &bias)))
		if (dwarf_haspc(unit, address - bias) > 0)
			return dwarf_getsrc_die(unit, address - bias);
	return NULL;
}

/* " (vmalloc.c:123)", or "" where the file says nothing about the address. */
static void describe_line(struct describe *describe, uint64_t address, char *out, size_t size)
{
	Dwarf_Line *line = line_of(describe, address);
	const char *path, *slash;
	char escaped[64];
	int number = 0;

	out[0] = '\0';
	path = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	if (!path || dwarf_lineno(line, &number) < 0)
		return;
	slash = strrchr(path, '/');
	path = slash ? slash + 1 : path;
	snprintf(out, size, " (%s:%d)", text_escape(path, strlen(path), escaped, sizeof(escaped)), number);
}

const char *describe_address(struct describe *describe, uint64_t address, char *out, size_t size)
{
	char escaped[128], offset_text[24] = "", line[96] = "";
	GElf_Off offset = 0;
	const char *name;
	GElf_Sym symbol;

	if (size)
		out[0] = '\0';
	if (!describe || dwfl_addrmodule(describe->dwfl, address) != describe->module)
		return out;
	name = dwfl_module_addrinfo(describe->module, address, &offset, &symbol, NULL, NULL, NULL);
	if (!name)
		return out;
	if (offset)
		snprintf(offset_text, sizeof(offset_text), "+0x%llx", (unsigned long long)offset);
	if (GELF_ST_TYPE(symbol.st_info) != STT_OBJECT)
		describe_line(describe, address, line, sizeof(line));
	snprintf(out, size, "%s%s%s", text_escape(name, strlen(name), escaped, sizeof(escaped)), offset_text,
		 line);
	return out;
}
