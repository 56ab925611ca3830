/* SPDX-License-Identifier: MIT */
/*
 * core.h: a view in an ELF core file.
 *
 * ET_CORE, one PT_LOAD per region (p_paddr = GPA, p_vaddr = GPA + direct map base), NT_PRSTATUS per vCPU, and
 * per vCPU a note named "KVMAP" with its control registers, so that CR3 and CR4 are there, and one with its
 * PAT register where that is known. One more has the path of the guest's ELF file. Sparse: memory that was
 * never touched is a hole of the file.
 */
#ifndef VMM_VIEW_CORE_H
#define VMM_VIEW_CORE_H

#include "view/view.h"

#define CORE_NOTE_NAME "KVMAP"
/* "KV01" ...: debuggers take small numbers for their own types, whatever the name. */
#define CORE_NOTE_CONTROL 0x3130564b
#define CORE_NOTE_PROGRAM 0x3230564b
#define CORE_NOTE_PAT     0x3330564b

/* CORE_NOTE_CONTROL. CORE_NOTE_PROGRAM is a path with its NUL. */
struct core_control {
	uint32_t version; /* 1 */
	uint8_t physical_bits;
	uint8_t pages_1g; /* 0 or 1 */
	uint16_t unused;
	uint64_t cr0, cr2, cr3, cr4, efer;
};

/* CORE_NOTE_PAT */
struct core_pat {
	uint32_t cpu; /* whose it is */
	uint32_t unused;
	uint64_t pat;
};

/*
 * In a core by virtual address: guest memory by physical address, as PT_LOAD is in the others. Debuggers pass
 * over it, since it has no virtual address; its bytes are those of the PT_LOADs.
 */
#define CORE_SEGMENT_MEMORY 0x6b4d454d

/* What is to be seen at a virtual address: [gva, gva + size) is [gpa, gpa + size), which is in memory that
 * the view has. Whole pages. */
struct core_mapping {
	uint64_t gva, gpa, size;
	uint32_t flags; /* PF_R, PF_W, PF_X of elf.h */
};

/*
 * Writes the view to `path`. `program`: path of the guest's ELF file, may be NULL. The file is made beside
 * `path` (mode 0600: it holds all of the guest's memory) and takes its name only once it is whole, so that a
 * failure leaves what was there. Replaces nothing but an empty file or an ELF core. Pages of zeros are not
 * written.
 */
int core_write(const struct view *view, const char *path, const char *program, struct error *error);

/* The same with the virtual addresses of `mappings`, for a debugger. Read back, it is the same view. */
int core_write_virtual(const struct view *view, const struct core_mapping *mappings, size_t mapping_count,
		       const char *path, const char *program, struct error *error);

/*
 * Opens a core. Checks every size, offset, count and note against the file. *program_out is the path noted,
 * to be freed, or NULL. Memory is mapped, not read: the file must not shrink while the view is open.
 */
int core_open(const char *path, struct view **view_out, char **program_out, struct error *error);

#endif
