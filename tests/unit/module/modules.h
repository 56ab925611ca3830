/* SPDX-License-Identifier: MIT */
/* modules.h: the modules of this folder, compiled, and exports for them. */
#ifndef TESTS_UNIT_MODULE_MODULES_H
#define TESTS_UNIT_MODULE_MODULES_H

#include "module/relocate.h"

/* A file of the build folder; the bytes are from malloc(). Ends the process if it cannot be read. */
struct module_bytes {
	uint8_t *bytes;
	size_t size;
};
struct module_bytes module_bytes_read(const char *name);

/* Names with addresses; the last name is NULL. */
struct module_export {
	const char *name;
	uint64_t address;
};
struct module_exports module_exports_of(const struct module_export *exports);

#endif
