/* SPDX-License-Identifier: MIT */
/*
 * core_file.h: the steps of opening a core, each of which checks what it uses. For core_*.c only.
 */
#ifndef VMM_VIEW_CORE_FILE_H
#define VMM_VIEW_CORE_FILE_H

#include "view/core.h"

#include <gelf.h>

struct core_file {
	const char *path;
	int fd;
	uint64_t size;
	Elf *elf;
	size_t segment_count;
	bool from_qemu; /* known once the notes are read */
};

/* All of them: 0, or -1 with ERROR_INPUT (ERROR_PERMISSION, ERROR_HOST) and a line that names the file. */

/* Opens the file and checks that it is an x86-64 ELF core whose program headers lie in it. */
int core_file_open(const char *path, struct core_file *out, struct error *error);

/* Closes what is open; the fd only where it was not taken over (-1). */
void core_file_close(struct core_file *file);

/* One program header; one that has bytes in the file has them all there. */
int core_file_segment(const struct core_file *file, size_t index, GElf_Phdr *out, struct error *error);

/* CPUs and the program's path, from all notes. *program is NULL or to be freed, after a failure too. Sets
 * file->from_qemu. */
int core_file_notes(struct core_file *file, struct view *view, char **program, struct error *error);

/*
 * Guest memory: the union of all PT_LOADs by physical address. They may overlap where they mean the same
 * bytes of the file, as those of a core with virtual addresses do. Each region's mapping in this process is
 * noted in `maps`, which has room for VIEW_REGIONS_MAX, and is the caller's after a failure too.
 */
struct core_map {
	void *address;
	size_t size;
};
int core_file_memory(const struct core_file *file, struct view *view, struct core_map *maps,
		     unsigned int *map_count, struct error *error);

#endif
