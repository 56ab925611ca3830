/* SPDX-License-Identifier: MIT */
/*
 * build_id.h: is an ELF file the program that a guest runs? Its note NT_GNU_BUILD_ID is loaded with it, so
 * that the guest's memory has the same bytes at the note's address, or is of another program or another
 * build.
 */
#ifndef VMM_PROGRAM_BUILD_ID_H
#define VMM_PROGRAM_BUILD_ID_H

#include "program/symbols.h"
#include "paging/walk.h"

#define BUILD_ID_MAX 64 /* bytes; SHA-1 has 20, and no linker makes longer ones than 32 */

struct build_id {
	uint8_t bytes[BUILD_ID_MAX];
	size_t size;
	uint64_t gva; /* of the bytes, once the program is loaded */
};

/* The build-id of the file; false if it has none that is loaded with it. */
bool build_id_of_file(const struct symbols *symbols, struct build_id *out);

/* "0b5aff80...". Returns out. */
const char *build_id_text(const struct build_id *id, char *out, size_t size);

/*
 * 0: the guest's memory holds the file's build-id, or the file has none to compare with. -1 with ERROR_INPUT:
 * the guest runs something else, whose build-id is named where one is found near by. The names and the types
 * of the file are not to be used then.
 */
int build_id_check(const struct symbols *symbols, const struct view *view, const struct walk_mode *mode,
		   struct error *error);

#endif
