/* SPDX-License-Identifier: MIT */
/*
 * view.h: a guest as data: bytes at guest physical addresses, and register sets.
 *
 * A live VM, a core file and page tables made by a test have the same form: a sorted list of regions of guest
 * memory, mapped into this process. Code above this room does not distinguish them.
 *
 * All accesses by guest physical address go through this header, which checks their bounds.
 */
#ifndef VMM_VIEW_VIEW_H
#define VMM_VIEW_VIEW_H

#include "base/array.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No KVM has more vCPUs (KVM_CAP_MAX_VCPUS on x86). */
#define VIEW_CPUS_MAX 4096

/* Guest memory [gpa, gpa + size), page-aligned, mapped at `bytes`. gpa + size does not wrap. */
struct view_region {
	uint64_t gpa;
	uint64_t size;
	const uint8_t *bytes;
	int fd;          /* file whose SEEK_DATA finds the pages in use; -1: none, all pages count as data */
	uint64_t offset; /* of `gpa` in `fd` */
	uint64_t hva;    /* of `gpa` in the process that runs the VM, if `bytes` is a copy; else 0 */
	uint64_t *accessed; /* bitmap of pages returned by the accessors below; NULL: not recorded */
};

/* Guest memory [gpa, gpa + size) that a core names, with only the first `has` bytes in the file, 0 < has < size. */
struct view_gap {
	uint64_t gpa, size, has;
};

/* clang-format off */
/* The general registers, in the order of KVMAP_RECORD_REGISTERS. X(name) */
#define VIEW_GENERAL_REGISTERS(X)                                                                            \
	X(rax) X(rbx) X(rcx) X(rdx) X(rsi) X(rdi) X(rbp) X(rsp)                                              \
	X(r8) X(r9) X(r10) X(r11) X(r12) X(r13) X(r14) X(r15)
/* clang-format on */

/* Guest memory [start, end) that may hold other bytes than zeros. */
struct view_extent {
	uint64_t start, end;
};

/* Registers of a vCPU that a walk and a report need. Names as in the SDM. */
struct view_cpu {
#define REGISTER(name) uint64_t name;
	VIEW_GENERAL_REGISTERS(REGISTER)
#undef REGISTER
	uint64_t rip, rflags;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint16_t cs, ss, ds, es, fs, gs;
	uint64_t fs_base, gs_base;
	uint64_t pat; /* IA32_PAT; 0 if has_pat is false: not every source has it */
	bool has_pat;
	uint8_t lacks; /* enum view_lacks */
};

/* Registers of a vCPU that a source does not have: they are 0 here, which says nothing. */
enum view_lacks {
	VIEW_LACKS_RFLAGS = 1,
	VIEW_LACKS_SEGMENTS = 2, /* selectors, and the bases of FS and GS */
	VIEW_LACKS_EFER = 4,     /* EFER is assumed: long mode if paging is on, and NXE */
	VIEW_LACKS_PAT = 8,      /* of view_cpu_lacks() alone: has_pat says it */
	VIEW_LACKS_RIP = 16,
	VIEW_LACKS_RSP = 32,
	VIEW_LACKS_ALL =
		VIEW_LACKS_RFLAGS | VIEW_LACKS_SEGMENTS | VIEW_LACKS_EFER | VIEW_LACKS_RIP | VIEW_LACKS_RSP,
};

static inline unsigned int view_cpu_lacks(const struct view_cpu *cpu)
{
	return cpu->lacks | (cpu->has_pat ? 0 : VIEW_LACKS_PAT);
}

/* The names of the registers in `lacks`, enum view_lacks: "efer, rflags". Returns out. */
const char *view_lacks_text(unsigned int lacks, char *out, size_t size);

/* KVM's translation of a GVA (KVM_TRANSLATE); that ioctl reports no access rights on x86. */
struct view_translation {
	bool valid;
	uint64_t gpa;
};

struct view {
	struct view_region *regions; /* sorted; any number, allocated by view_add_region() */
	unsigned int region_count, region_capacity;
	ARRAY_OF(struct view_gap) gaps;       /* those that no region fills */
	ARRAY_OF(struct view_extent) extents; /* extents.h; if extents_known, in order, with holes between */
	bool extents_known;
	struct view_cpu *cpus; /* allocated by view_set_cpus() */
	unsigned int cpu_count, cpu_capacity;
	/* Claim of the core's VMCOREINFO: how far above the addresses of its program the kernel runs. */
	bool has_kernel_offset;
	uint64_t kernel_offset;
	bool pages_1g;              /* 1G pages work: PS at level 3 is not reserved. No register shows this */
	uint64_t data_size_max;     /* upper bound that view_data_size() returns; 0: it reads the files */
	bool physical_bits_assumed; /* the source does not say: */
	unsigned int physical_bits; /* MAXPHYADDR of the guest: higher bits of an entry are reserved */
	bool tracks_access; /* `accessed` is recorded and each page has a cost: access no page in vain */
	/* Translates by KVM. NULL if the view is not of a live VM. 0, or -1 if the ioctl failed. */
	int (*translate)(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out);
	void *translate_context;
	unsigned int translate_max; /* maximum number of different addresses; 0: no maximum */
	/* Releases what the backend owns; called by view_destroy(). May be NULL. */
	void (*release)(struct view *view);
};

/*
 * Adds a region in order. ERROR_INPUT unless it is page-aligned and not empty, does not wrap, and overlaps no
 * other; ERROR_HOST if memory is out.
 */
int view_add_region(struct view *view, const struct view_region *region, struct error *error);

/*
 * Sets the number of CPUs. A CPU that is added has registers of zero, the others keep theirs. Pointers to CPUs are no
 * longer valid. ERROR_INPUT if there are more than VIEW_CPUS_MAX, ERROR_HOST if memory is out: nothing has changed.
 */
int view_set_cpus(struct view *view, unsigned int count, struct error *error);

/* Calls view->release, then frees the view, which malloc() allocated. NULL is allowed. */
void view_destroy(struct view *view);

/* Frees regions, gaps and CPUs, for a view that is part of another object. */
void view_clear(struct view *view);

/* Index of the first region that ends above gpa; region_count if there is none. */
unsigned int view_region_from(const struct view *view, uint64_t gpa);

/* The region that holds all of [gpa, gpa + size), or NULL. size > 0. */
const struct view_region *view_region(const struct view *view, uint64_t gpa, uint64_t size);

/* Whether all of [gpa, gpa + size) is guest memory, in one region or in adjacent ones: QEMU splits RAM into
 * adjacent memory slots. */
bool view_covers(const struct view *view, uint64_t gpa, uint64_t size);

/* The bytes of [gpa, gpa + size), or NULL unless one region holds them all. A running guest may change them.
 * Marks the pages as accessed; view_region() tells whether there is memory without that. */
const void *view_bytes(const struct view *view, uint64_t gpa, uint64_t size);

/* Copies [gpa, gpa + size), which may span regions. 0, or -1 with ERROR_GUEST and the first GPA without
 * memory. */
int view_read(const struct view *view, uint64_t gpa, void *out, size_t size, struct error *error);

/*
 * Finds the first range of [gpa, end) that may hold other bytes than zeros: [*start_out, *end_out). False if
 * there is none. Skips holes of sparse files without reading them, and addresses outside all regions.
 */
bool view_next_data(const struct view *view, uint64_t gpa, uint64_t end, uint64_t *start_out,
		    uint64_t *end_out);

/* Bytes of guest memory in all regions. */
uint64_t view_size(const struct view *view);

/* Bytes that may be other than zeros, or an upper bound of that. Bounds the size of the guest's structures,
 * independently of the size of its memory. */
uint64_t view_data_size(const struct view *view);

#endif
