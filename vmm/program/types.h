/* SPDX-License-Identifier: MIT */
/*
 * types.h: where the members of the guest's structures are, from its DWARF (libdw).
 */
#ifndef VMM_PROGRAM_TYPES_H
#define VMM_PROGRAM_TYPES_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct type_member {
	uint32_t offset; /* bytes from the start of the structure */
	uint32_t size;   /* bytes, of the whole member (an array: all of it) */
};

/* One wanted member; a NULL `member` wants the structure itself (offset 0, its size). Members of anonymous
 * structs and unions are found by their own name. */
struct type_wanted {
	const char *structure; /* "vm_struct" */
	const char *member;    /* "addr" */
	struct type_member *out;
};

/*
 * Resolves all of them in one pass over the DWARF of the file at `path`. ERROR_INPUT names the first one that
 * is missing; then no out is to be used.
 */
int types_resolve(const char *path, const struct type_wanted *wanted, size_t count, struct error *error);

#endif
