/* SPDX-License-Identifier: MIT */
/*
 * build_id.h: checks that a guest runs the program of an ELF file. The note NT_GNU_BUILD_ID is loaded with
 * the program: other bytes at its address belong to another program or another build.
 */
#ifndef VMM_PROGRAM_BUILD_ID_H
#define VMM_PROGRAM_BUILD_ID_H

#include "program/symbols.h"
#include "paging/walk.h"

#define BUILD_ID_MAX 64 /* bytes; SHA-1 has 20, and no linker makes longer ones than 32 */

struct build_id {
	uint8_t bytes[BUILD_ID_MAX];
	size_t size;
	uint64_t gva; /* of the bytes, once the program is loaded where it is linked */
};

/* The build-id of the file; false if it has none that is loaded with it. */
bool build_id_of_file(const struct symbols *symbols, struct build_id *out);

/*
 * 0: the guest's memory has the file's build-id, or the file has none; sets the symbols' offset to where the guest
 * runs the program. A file without a build-id is believed, at the offset that a core's VMCOREINFO says. -1 with ERROR_INPUT: the guest runs
 * another program, whose build-id is in the message if it was found in the image's range. Names and types of
 * the file are not valid for that guest.
 */
int build_id_check(struct symbols *symbols, const struct view *view, const struct walk_mode *mode,
		   struct error *error);

#endif
