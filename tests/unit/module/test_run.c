/* SPDX-License-Identifier: MIT */
/* Modules that run: relocated to low addresses, which -mcmodel=kernel reaches as well, one using the other's exports. */
#define _GNU_SOURCE /* MAP_FIXED_NOREPLACE */
#include "modules.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FIRST  0x41000000ul
#define SECOND 0x41800000ul

struct loaded {
	struct module_bytes file;
	struct module_object object;
	uint64_t address;
};

static void protect(const struct loaded *module)
{
	static const int rights[MODULE_PARTS] = { PROT_READ | PROT_EXEC, PROT_READ, PROT_READ | PROT_WRITE };

	for (int part = 0; part < MODULE_PARTS; part++) {
		const struct module_pages *pages = &module->object.parts[part];

		if (pages->size)
			cr_assert_eq(mprotect((void *)(module->address + pages->offset), pages->size,
					      rights[part]),
				     0);
	}
}

static struct loaded load(const char *name, const char *level, uint64_t address,
			  const struct module_export *exports)
{
	struct module_exports find = module_exports_of(exports);
	struct loaded out = { .address = address };
	struct error error;
	char file[64];
	void *image;

	snprintf(file, sizeof(file), "%s-O%s.o", name, level);
	out.file = module_bytes_read(file);
	cr_assert_eq(module_object_open(file, out.file.bytes, out.file.size, &out.object, &error), 0);
	image = mmap((void *)address, out.object.span, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	cr_assert_eq(image, (void *)address);
	cr_assert_eq(module_relocate(&out.object, address, &find, image, &error), 0, "%s", error.text);
	protect(&out);
	out.object.name = name;
	return out;
}

static void unload(struct loaded *module)
{
	munmap((void *)module->address, module->object.span);
	module_object_close(&module->object);
	free(module->file.bytes);
}

static uint64_t address_of(const struct loaded *module, const char *wanted)
{
	const struct module_export none[] = { { 0 } };
	struct module_exports find = module_exports_of(none);
	uint64_t address = 0;
	struct error error;
	const char *name;
	Elf64_Sym symbol;

	for (uint64_t i = 0; module_object_symbol(&module->object, i, &symbol, &name); i++) {
		if (strcmp(name, wanted))
			continue;
		cr_assert_eq(
			module_symbol_address(&module->object, module->address, &find, i, &address, &error),
			0);
		return address;
	}
	cr_assert_fail("no symbol %s", wanted);
	return 0;
}

static void run_both(const char *level)
{
	const struct module_export none[] = { { 0 } };
	struct loaded first = load("first", level, FIRST, none);
	const struct module_export exports[] = { { "first_count", address_of(&first, "first_count") },
						 { "first_values", address_of(&first, "first_values") },
						 { "first_add", address_of(&first, "first_add") },
						 { "first_word", address_of(&first, "first_word") },
						 { 0 } };
	struct loaded second = load("second", level, SECOND, exports);
	int (*sum)(void);
	uint64_t address = address_of(&second, "second_sum");

	memcpy(&sum, &address, sizeof(sum));
	/* The words are 1, 10, 4, 6, 'v', 50, 3 and -1; two calls of first_add(), the second with 4000. */
	cr_expect_eq(sum(), 1 + 10 + 4 + 6 + 'v' + 50 + 3 - 1 + 4000 + 200000, "-O%s", level);
	unload(&second);
	unload(&first);
}

Test(module_run, modules_run_at_every_level_of_optimization)
{
	run_both("0");
	run_both("1");
	run_both("2");
	run_both("s");
}
