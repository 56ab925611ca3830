/* SPDX-License-Identifier: MIT */
/*
 * stage2.h: the second stage of a VM as the kernel holds it, copied: the tables that translate GPA to HPA
 * (EPT, NPT), or, with shadow paging, GVA to HPA, what they say decoded, and the memory slots they must agree
 * with.
 *
 * Everything here is data. reader.h fills it in; decode.c and check.c judge it without asking anyone, so that
 * they are tested with tables made by hand.
 */
#ifndef VMM_STAGE2_STAGE2_H
#define VMM_STAGE2_STAGE2_H

#include "base/array.h"
#include "base/error.h"
#include "base/page.h"
#include "base/rights.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAGE2_LEVELS        5
#define STAGE2_TABLE_ENTRIES 512
/* No VM has more leaves than this: 16 TiB in 4K pages would be. A damaged table cannot ask for more memory.
 */
#define STAGE2_LEAVES_MAX (1u << 28)

enum stage2_kind {
	STAGE2_EPT,    /* Intel's, entries of its own format (SDM vol. 3C 29.3.2) */
	STAGE2_NPT,    /* AMD's, entries as of ordinary page tables (APM vol. 2 15.25) */
	STAGE2_SHADOW, /* no second stage in hardware: tables for GVAs, made from the guest's own */
};

struct stage2_format {
	enum stage2_kind kind;
	unsigned int physical_bits; /* of the host: an address has no bits from here on */
	uint64_t encryption;        /* but for this one of AMD's memory encryption, the C-bit; 0: none */
};

struct stage2_slot {
	uint64_t gpa;
	uint64_t size;
	uint64_t hva;   /* in the process */
	uint32_t flags; /* KVM_MEM_* */
	int id;         /* KVM's own are above the user's */
};

struct stage2_slots {
	ARRAY_OF(struct stage2_slot);
};

struct stage2_leaf {
	uint64_t gpa;     /* of its first byte; with shadow paging, too */
	uint64_t entry;   /* as the kernel holds it */
	uint64_t backing; /* pagemap's word for the HVA of gpa; 0: not looked up, or nothing there */
	uint8_t level;    /* 1, 2, 3: 4K, 2M, 1G */
	uint8_t nested;   /* of a guest's guest, whose slots are not known: only counted */
	uint8_t smm;      /* of system management mode, whose slots are another set: only counted */
	uint8_t looked_up;
	uint32_t stray; /* 1 + the first of its 4K pages that does not follow in host memory; 0: all do */
};

/* An entry that points to a table, where entries are for GPAs. */
struct stage2_upper {
	uint64_t gpa; /* of the first byte that it translates */
	uint64_t entry;
	uint8_t level;
};

/* What stood in the tables of one level. */
struct stage2_level {
	uint64_t tables;
	uint64_t links;                                 /* entries that point to tables */
	uint64_t leaves;                                /* entries that map pages */
	uint64_t mmio;                                  /* marks of KVM: an access goes to the VMM */
	uint64_t frozen;                                /* being changed by a CPU */
	uint64_t odd;                                   /* neither empty nor anything known */
	uint64_t accessed, dirty, writable, executable; /* of the leaves */
};

struct stage2 {
	struct stage2_format format;
	bool tdp_mmu; /* the tables are the TDP MMU's; else struct kvm_mmu_page by struct kvm_mmu_page */
	unsigned int roots; /* of the TDP MMU */
	unsigned int vcpus;
	struct stage2_slots slots;                     /* by GPA; of the ordinary address space */
	ARRAY_OF(struct stage2_leaf) leaves;           /* by GPA */
	ARRAY_OF(struct stage2_upper) uppers;          /* as they were met; of the VM itself */
	struct stage2_level levels[STAGE2_LEVELS + 1]; /* [1]..[5] */
	uint64_t unreadable;                           /* tables that were gone when they were to be read */
	/* The VM changed its second stage while it was read, each time that was tried. */
	bool unsteady;
	/* Why backing was not looked up; no text: it was. */
	struct error no_frames;
	struct {
		uint64_t read_ns; /* in the kernel */
		uint64_t decode_ns;
		uint64_t frames_ns; /* pagemap */
	} timing;
};

void stage2_destroy(struct stage2 *stage2);

/* "EPT", "NPT", "shadow paging" */
const char *stage2_kind_name(enum stage2_kind kind);

/* ---- entry.c: one entry ---- */

enum stage2_entry_kind {
	STAGE2_EMPTY,
	STAGE2_TABLE,
	STAGE2_PAGE,
	STAGE2_MMIO,
	STAGE2_FROZEN,
	STAGE2_ODD,
};

/* What an entry of a table at `level`, 1 to 5, is. Present is what KVM marks as present, whatever hardware
 * sees. */
enum stage2_entry_kind stage2_entry_kind(const struct stage2_format *format, unsigned int level,
					 uint64_t entry);

/* Of the table or page it points to: HPA. */
uint64_t stage2_entry_hpa(const struct stage2_format *format, unsigned int level, uint64_t entry);

/* enum stage2_rights that hardware sees in this entry alone. R of EPT may be missing: a page tracked by
 * faults. */
unsigned int stage2_entry_rights(const struct stage2_format *format, uint64_t entry);

bool stage2_entry_accessed(const struct stage2_format *format, uint64_t entry);
bool stage2_entry_dirty(const struct stage2_format *format, uint64_t entry);

/* Bits that must be 0 in an entry that is a table's or a page's, and are not. */
uint64_t stage2_entry_reserved(const struct stage2_format *format, unsigned int level, uint64_t entry);

/* "R-X WB ignore-PAT A D", "P W U A D PS NX"; with KVM's own marks: "host-writable mmu-writable". Bits that
 * hardware gives another sense (EPT: 57, guest paging to be verified, and 58, paging writes) are KVM's marks,
 * since KVM turns none of that on. Returns out. */
const char *stage2_entry_text(const struct stage2_format *format, unsigned int level, uint64_t entry,
			      char *out, size_t size);

/* ---- decode.c: tables ---- */

/* A table, and what its entries are for. */
struct stage2_table {
	uint64_t gpa; /* that entry 0 translates */
	uint8_t level;
	bool passthrough; /* only entry 0 counts */
	bool nested, smm;
	/*
	 * Shadow paging: for each entry the GFN above 12 bits that are not looked at. NULL: entry i is for
	 * the i-th page of its level behind gpa.
	 */
	const uint64_t *translation;
};

/* A table that another one points to. */
struct stage2_link {
	uint64_t hpa;
	uint64_t gpa;
	uint8_t level;
};

struct stage2_links {
	ARRAY_OF(struct stage2_link);
};

/*
 * Takes the 512 entries of a table: counts them and appends its leaves. Tables that it points to are appended
 * to `links` unless that is NULL. -1 when memory is out.
 */
int stage2_add_table(struct stage2 *stage2, const struct stage2_table *table, const uint64_t *entries,
		     struct stage2_links *links);

/* Makes room for `more` leaves; where they are many, in huge pages: else most of the time of reading them is
 * that of page faults. -1 when memory is out, or no VM has so many. */
int stage2_make_room(struct stage2 *stage2, size_t more);

/* Sorts slots and leaves once all are there. -1 when memory is out. */
int stage2_sort(struct stage2 *stage2);

/* The slot that holds gpa, or NULL. Slots are sorted. */
const struct stage2_slot *stage2_slot_at(const struct stage2 *stage2, uint64_t gpa);

/* Index of the first leaf that begins at gpa or above; leaves.count if there is none. Leaves are sorted. */
size_t stage2_leaf_from(const struct stage2 *stage2, uint64_t gpa);

/* The smallest leaf of the VM itself that translates gpa, or NULL. */
const struct stage2_leaf *stage2_leaf_at(const struct stage2 *stage2, uint64_t gpa);

/* An entry of `level` on the way to gpa that points to a table, or NULL. */
const struct stage2_upper *stage2_upper_at(const struct stage2 *stage2, uint64_t gpa, unsigned int level);

/* ---- frames.c: what backs a leaf ---- */

/*
 * Looks up the HVA of every leaf in `pagemap`, /proc/PID/pagemap or a file like it. Where the kernel hides
 * frames or the file cannot be read, stage2->no_frames says why. -1 only when memory is out.
 */
int stage2_look_up_frames(struct stage2 *stage2, const char *pagemap, struct error *error);

/* ---- check.c: V10 ---- */

enum stage2_problem {
	STAGE2_OK,
	STAGE2_NOT_COMPARED, /* another address space, memory without an HVA, or frames not known */
	STAGE2_NO_SLOT,
	STAGE2_WIDER_THAN_SLOT,
	STAGE2_MISALIGNED, /* GPA and HVA differ within a page of this size */
	STAGE2_RESERVED,
	STAGE2_WRITABLE_SLOT, /* writable, and its slot is read-only */
	STAGE2_NOT_BACKED,    /* the process has nothing mapped there */
	STAGE2_OTHER_FRAME,
	STAGE2_PROBLEMS
};

/* What is wrong with a leaf, the first thing that is. */
enum stage2_problem stage2_check(const struct stage2 *stage2, const struct stage2_leaf *leaf);

/* "points at another frame than the process has there" */
const char *stage2_problem_text(enum stage2_problem problem);

/* What is wrong in numbers: "HPA 0x1000, the process has 0x2000 there". Returns out. */
const char *stage2_problem_detail(const struct stage2 *stage2, const struct stage2_leaf *leaf,
				  enum stage2_problem problem, char *out, size_t size);

/* Frames of 4 KiB that a leaf maps. */
static inline uint64_t stage2_leaf_frames(const struct stage2_leaf *leaf)
{
	return page_level_size(leaf->level) / PAGE_4K;
}

struct stage2_verdict {
	uint64_t leaves;       /* compared with the process's frames */
	uint64_t frames;       /* of them */
	uint64_t not_compared; /* leaves that could not be */
	uint64_t problems[STAGE2_PROBLEMS];
	uint64_t findings;
};

/* Checks all leaves; `found`, if not NULL, is called for each that has a problem. */
void stage2_check_all(const struct stage2 *stage2, struct stage2_verdict *out,
		      void (*found)(void *context, const struct stage2_leaf *leaf,
				    enum stage2_problem problem),
		      void *context);

/* ---- effective.c: what a page of the guest is worth ---- */

/*
 * Bytes of guest mappings by the guest's page size (first index: level 1 to 3) and by the second stage's: the
 * TLB holds the smaller of the two. [0]: not in the second stage (yet).
 */
struct stage2_effective {
	uint64_t bytes[4][4];
	uint64_t splintered; /* guest pages of 2M and 1G that some smaller page of the second stage backs */
};

/* Adds a mapping of the guest: a page of `level`. Returns the effective level: the smallest page that backs
 * part of it, 0 if nothing does. */
unsigned int stage2_effective_add(const struct stage2 *stage2, uint64_t gpa, unsigned int level,
				  struct stage2_effective *out);

#endif
