/* SPDX-License-Identifier: MIT */
/*
 * relocate.h: the bytes of a module at an address.
 *
 * The relocation types are those that gcc and clang emit for -mcmodel=kernel -fno-pic, as Linux's loader has them:
 * R_X86_64_NONE, 64, 32, 32S, PC32, PLT32 and PC64.
 */
#ifndef VMM_MODULE_RELOCATE_H
#define VMM_MODULE_RELOCATE_H

#include "module/object.h"

/* The address of a symbol that the module does not define; false: neither the guest nor a module exports it. */
struct module_exports {
	bool (*find)(void *context, const char *name, uint64_t *address_out);
	void *context;
};

/* The address of a symbol of the object, which lies at `address`. 0: symbol 0, or a weak symbol that is not exported. */
int module_symbol_address(const struct module_object *object, uint64_t address,
			  const struct module_exports *exports, uint64_t symbol, uint64_t *out,
			  struct error *error);

/*
 * Writes the module's object->span bytes, as they lie at `address`, to `image`; what no section fills is zero. On
 * failure (an unresolved symbol, an unknown relocation, a value that does not fit) the image is undefined, and the error
 * names the section and the offset.
 */
int module_relocate(const struct module_object *object, uint64_t address,
		    const struct module_exports *exports, uint8_t *image, struct error *error);

#endif
