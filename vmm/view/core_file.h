/* SPDX-License-Identifier: MIT */
/*
 * core_file.h: the steps of opening a core; each checks the fields it reads. For core_*.c only.
 */
#ifndef VMM_VIEW_CORE_FILE_H
#define VMM_VIEW_CORE_FILE_H

#include "base/array.h"
#include "view/core.h"

#include <gelf.h>

struct core_file {
	const char *path;
	int fd;
	uint64_t size;
	Elf *elf;
	size_t segment_count;
	bool from_qemu; /* set by core_file_notes() */
};

/* All return 0, or -1 with ERROR_INPUT (ERROR_PERMISSION, ERROR_HOST) and a message that names the file. */

/* Opens the file and checks that it is an x86-64 ELF core whose program headers lie in it. */
int core_file_open(const char *path, struct core_file *out, struct error *error);

/* Closes the file. fd -1: the descriptor was taken over. */
void core_file_close(struct core_file *file);

/* Reads one program header; its bytes lie within the file. */
int core_file_segment(const struct core_file *file, size_t index, GElf_Phdr *out, struct error *error);

/* Reads the CPUs and the program's path from all notes. *program is NULL or to be freed, also on failure. Sets
 * file->from_qemu. */
int core_file_notes(struct core_file *file, struct view *view, char **program, struct error *error);

/*
 * Adds guest memory to the view: the union of all PT_LOADs by physical address. They may overlap where they
 * share the bytes of the file, as in a core by virtual address. The file is mapped once, whatever the number of
 * regions, and a region that the file does not have in full has a mapping of its own. All are added to `maps`,
 * which the caller unmaps and frees, also on failure.
 */
struct core_map {
	void *address;
	size_t size;
};
struct core_maps {
	ARRAY_OF(struct core_map);
};
int core_file_memory(const struct core_file *file, struct view *view, struct core_maps *maps,
		     struct error *error);

#endif
