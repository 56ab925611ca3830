/* SPDX-License-Identifier: MIT */
/*
 * object.h: a kernel module as the compiler writes it: a relocatable ELF object for x86-64. The file may be truncated
 * or hostile: every number of it is checked before it is used, and an object that was opened can be relocated without
 * access outside the file or the image.
 */
#ifndef VMM_MODULE_OBJECT_H
#define VMM_MODULE_OBJECT_H

#include "base/array.h"
#include "base/elf_image.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most bytes of an object's sections together: what a rel32 call inside the module range can span is far more. */
#define MODULE_SIZE_MAX 0x4000000

/* Parts of a module in the order of their addresses. Each has its own pages, and a guard page after it. */
enum module_part {
	MODULE_TEXT = 0,   /* R-X */
	MODULE_RODATA = 1, /* R-- */
	MODULE_DATA = 2,   /* RW- */
	MODULE_PARTS = 3,
};

/* A section that occupies memory (SHF_ALLOC). */
struct module_section {
	uint64_t index; /* in the file */
	const char *name;
	enum module_part part;
	uint64_t offset; /* from the module's address */
	uint64_t size;
	uint64_t align;
	const uint8_t *bytes; /* borrowed from the file; NULL: zeros (SHT_NOBITS) */
};

struct module_pages {
	uint64_t offset; /* from the module's address, page-aligned */
	uint64_t
		size; /* bytes; the pages are these, rounded up. 0: the module has no such part, and no guard after it */
};

struct module_object {
	const char *name; /* borrowed: of the file, for errors */
	struct elf_image image;
	ARRAY_OF(struct module_section) sections; /* in the order of the file */
	struct module_pages parts[MODULE_PARTS];
	uint64_t span; /* bytes from the module's address to the end of the last part's last page */
	/* The symbol table, checked to lie in the file; 0 symbols: none. */
	const uint8_t *symbols;
	uint64_t symbol_count;
	const char *strings; /* its names, NUL-terminated at the end */
	uint64_t strings_size;
};

/*
 * Opens, checks and lays out the object. `bytes` and `name` are borrowed until module_object_close(). Fails with
 * ERROR_INPUT on an object that is damaged, for another machine, linked already, or too large, and on one whose
 * sections are both writable and executable.
 */
int module_object_open(const char *name, const void *bytes, size_t size, struct module_object *out,
		       struct error *error);
void module_object_close(struct module_object *object);

/* The section with this index in the file; NULL: it occupies no memory, or there is none. */
const struct module_section *module_object_section(const struct module_object *object, uint64_t index);

/* False: no such symbol. *name_out is "" for a symbol without a name, or with one outside the string table. */
bool module_object_symbol(const struct module_object *object, uint64_t index, Elf64_Sym *out,
			  const char **name_out);

#endif
