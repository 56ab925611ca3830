/* SPDX-License-Identifier: MIT */
/*
 * core.h: a view as an ELF core file.
 *
 * ET_CORE, with one PT_LOAD per mapped piece of memory (p_vaddr = GVA, p_paddr = GPA) and one NT_PRSTATUS per
 * vCPU. Notes named "KVMAP" have the control registers of each vCPU, its PAT register if that is known,
 * and the path of the guest's ELF file. The file is sparse: memory that was never touched is a hole.
 */
#ifndef VMM_VIEW_CORE_H
#define VMM_VIEW_CORE_H

#include "view/view.h"

#define CORE_NOTE_NAME "KVMAP"
/* "KV01" ...: debuggers interpret small types as their own, whatever the note's name. */
#define CORE_NOTE_CONTROL 0x3130564b
#define CORE_NOTE_PROGRAM 0x3230564b
#define CORE_NOTE_PAT     0x3330564b

/* CORE_NOTE_CONTROL. CORE_NOTE_PROGRAM is a path with its NUL. */
struct core_control {
	uint32_t version; /* 1 */
	uint8_t physical_bits;
	uint8_t pages_1g;              /* 0 or 1 */
	uint8_t lacks;                 /* enum view_lacks */
	uint8_t physical_bits_assumed; /* 0 or 1 */
	uint64_t cr0, cr2, cr3, cr4, efer;
};

/* CORE_NOTE_PAT */
struct core_pat {
	uint32_t cpu; /* number of the vCPU */
	uint32_t unused;
	uint64_t pat;
};

/*
 * Segment type in a core by virtual address: guest memory by physical address, which is PT_LOAD in other
 * cores. All of memory is in such segments, whether it is mapped or not. Debuggers ignore it. It shares the file's bytes with the PT_LOADs.
 */
#define CORE_SEGMENT_MEMORY 0x6b4d454d

/* Maps [gva, gva + size) to [gpa, gpa + size), whole pages of the view's memory. */
struct core_mapping {
	uint64_t gva, gpa, size;
	uint32_t flags; /* PF_R, PF_W, PF_X of elf.h */
};

/* The addresses of the segments of a core. */
struct core_addresses {
	const struct core_mapping *mappings; /* each is a PT_LOAD */
	size_t mapping_count;
	/* A PT_LOAD for each region, too, at the virtual address that equals its GPA. False: a CORE_SEGMENT_MEMORY. */
	bool physical;
};

/*
 * Writes the view to `path`. `program`: path of the guest's ELF file, or NULL. Writes a temporary file in the
 * same folder (mode 0600, since it has all of the guest's memory) and renames it when it is complete, so that
 * a failure changes nothing. Replaces only an empty file or an ELF core. Pages of zeros become holes.
 * ERROR_INPUT, ERROR_PERMISSION or ERROR_HOST.
 */
int core_write(const struct view *view, const struct core_addresses *addresses, const char *path,
	       const char *program, struct error *error);

/* Called when the view was read whole and the file is complete. -1 with an error: the file is not to be. */
typedef int core_check(void *context, struct error *error);

/* core_write() with a last check, before the old file is replaced. */
int core_write_checked(const struct view *view, const struct core_addresses *addresses, const char *path,
		       const char *program, core_check *check, void *context, struct error *error);

/* Whether core_write() could write to `path`, before there is a core: its errors. */
int core_check_path(const char *path, struct error *error);

/*
 * Opens a core, to be freed by view_destroy(). Checks every size, offset, count and note against the file.
 * *program_out is the path of the guest's ELF file, to be freed, or NULL if the core has none. Memory is
 * mapped, not read: the file must not shrink while the view is open.
 */
int core_open(const char *path, struct view **view_out, char **program_out, struct error *error);

#endif
