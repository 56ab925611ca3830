/* SPDX-License-Identifier: MIT */
/*
 * view.h: a guest as seen from outside: bytes at guest physical addresses, and register sets.
 *
 * A live VM, a core file and tables made in a test all become the same thing: a sorted list of regions of
 * guest memory that are mapped in this process. Everything above asks a view and never knows which it is.
 *
 * This is the one checked accessor of guest physical addresses: outside a region there is no pointer to be
 * had.
 */
#ifndef VMM_VIEW_VIEW_H
#define VMM_VIEW_VIEW_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A core of mapped memory alone (QEMU's dump-guest-memory -p) has many holes. */
#define VIEW_REGIONS_MAX 512
#define VIEW_CPUS_MAX    64

/* Guest memory [gpa, gpa + size), page-aligned, that lies at `bytes` in this process. gpa + size does not
 * wrap. */
struct view_region {
	uint64_t gpa;
	uint64_t size;
	const uint8_t *bytes;
	int fd;          /* whose SEEK_DATA tells what was ever touched; -1: unknown, all counts as data */
	uint64_t offset; /* of gpa in fd */
	uint64_t hva;    /* of gpa in the process whose VM it is, where `bytes` are a copy; else 0 */
	uint64_t
		*accessed; /* a bit for each page that was asked for, set by the accessors below; NULL: nobody
			    wants to know */
};

/* What a walk and a report need of a vCPU. Names and numbering as in the manuals. */
struct view_cpu {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint16_t cs, ss, ds, es, fs, gs;
	uint64_t fs_base, gs_base;
	uint64_t pat; /* IA32_PAT; 0 where has_pat is false: not every source holds it */
	bool has_pat;
};

/* KVM's own answer about a GVA (KVM_TRANSLATE); only what that ioctl can be trusted for. */
struct view_translation {
	bool valid;
	uint64_t gpa;
};

struct view {
	struct view_region regions[VIEW_REGIONS_MAX];
	unsigned int region_count;
	struct view_cpu cpus[VIEW_CPUS_MAX];
	unsigned int cpu_count;
	bool pages_1g; /* 1G pages work: a PS bit at level 3 is a page, not a reserved bit. No register says
			  so */
	uint64_t
		data_size_max; /* what view_data_size() says, where the backend knows a bound; 0: the files are
			       asked */
	unsigned int physical_bits; /* MAXPHYADDR of the guest: entries above it are reserved bits */
	bool tracks_access; /* what is asked for is noted (`asked`) and has its price: no more than will be read */
	/* Asks KVM. NULL where there is no live VM behind the view. 0, or -1 if the ioctl failed. */
	int (*translate)(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out);
	void *translate_context;
	unsigned int translate_max; /* different questions at most; 0: any number */
	/* Releases what the backend owns; called by view_destroy(). May be NULL. */
	void (*release)(struct view *view);
};

/*
 * Adds a region, keeping them sorted. Page-aligned, non-empty, not wrapping, not overlapping another, or
 * ERROR_INPUT.
 */
int view_add_region(struct view *view, const struct view_region *region, struct error *error);

/* NULL is allowed. Frees what the backend owns, then the view, which came from malloc. */
void view_destroy(struct view *view);

/* Index of the first region that ends above gpa; region_count if there is none. */
unsigned int view_region_from(const struct view *view, uint64_t gpa);

/* The region that holds all of [gpa, gpa + size), or NULL. size > 0. */
const struct view_region *view_region(const struct view *view, uint64_t gpa, uint64_t size);

/* Whether all of [gpa, gpa + size) is guest memory, be it of several regions that touch: a VMM cuts memory
 * where a device may cover a part of it. */
bool view_covers(const struct view *view, uint64_t gpa, uint64_t size);

/* The bytes of [gpa, gpa + size), or NULL where not all of it is one region's. They may change under a live
 * guest. Who only wants to know whether there is memory takes view_region(). */
const void *view_bytes(const struct view *view, uint64_t gpa, uint64_t size);

/* Copies [gpa, gpa + size), which may span regions; 0, or -1 with ERROR_GUEST and the first GPA that is
 * nowhere. */
int view_read(const struct view *view, uint64_t gpa, void *out, size_t size, struct error *error);

/*
 * The first stretch of [gpa, end) that may hold anything but zeros: its start and its end, both inside [gpa,
 * end). False when there is none. Holes in sparse memory cost nothing. Addresses outside all regions are
 * skipped.
 */
bool view_next_data(const struct view *view, uint64_t gpa, uint64_t end, uint64_t *start_out,
		    uint64_t *end_out);

/* Bytes of guest memory in all regions. */
uint64_t view_size(const struct view *view);

/* Those of them that may be anything but zeros, or a bound of that. What a guest can say is bounded by this,
 * not by its memory's size. */
uint64_t view_data_size(const struct view *view);

#endif
