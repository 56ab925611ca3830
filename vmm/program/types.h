/* SPDX-License-Identifier: MIT */
/*
 * types.h: offsets and sizes of the members of the guest's structures, from its debug information.
 */
#ifndef VMM_PROGRAM_TYPES_H
#define VMM_PROGRAM_TYPES_H

#include "program/symbols.h"

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
 * Resolves all of them in one pass over the debug information. Members of one structure must be adjacent in
 * `wanted`. A program may have several structures of one name: the first that has all of the wanted members
 * counts. ERROR_INPUT names the first one that is missing; the contents of the outs are then undefined.
 */
int types_resolve(const struct symbols *symbols, const struct type_wanted *wanted, size_t count,
		  struct error *error);

#endif
