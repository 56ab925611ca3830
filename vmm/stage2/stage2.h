/* SPDX-License-Identifier: MIT */
/*
 * stage2.h: a decoded copy of the second stage of a VM, the tables that translate GPA to HPA (EPT, NPT) or,
 * with shadow paging, GVA to HPA, and of the memory slots that the tables must agree with.
 *
 * struct stage2 is plain data. reader.h fills it in from the kernel; decode.c and check.c make no system
 * calls, so that tests can use tables made by hand.
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

#define STAGE2_LEVELS 5
/* Limit of leaves, so that damaged tables cannot exhaust memory. Enough for 1 TiB in 4K pages. */
#define STAGE2_LEAVES_MAX (1u << 28)

enum stage2_kind {
	STAGE2_EPT,    /* Intel; entries have their own format (SDM vol. 3C 29.3.2) */
	STAGE2_NPT,    /* AMD; entries have the format of ordinary page tables (APM vol. 2 15.25) */
	STAGE2_SHADOW, /* no second stage in hardware: KVM builds tables that translate GVA to HPA */
};

struct stage2_format {
	enum stage2_kind kind;
	unsigned int physical_bits; /* MAXPHYADDR of the host */
	uint64_t encryption;        /* mask of the C-bit of AMD memory encryption; 0: none */
};

struct stage2_slot {
	uint64_t gpa;
	uint64_t size;
	uint64_t hva;   /* in the process of the VM */
	uint32_t flags; /* KVM_MEM_* */
	int id;         /* KVM's private slots have higher ids than the user's */
};

struct stage2_slots {
	ARRAY_OF(struct stage2_slot);
};

struct stage2_leaf {
	uint64_t gpa;     /* of its first byte, also with shadow paging */
	uint64_t entry;   /* raw */
	uint64_t backing; /* pagemap word of the HVA of gpa; 0: not looked up, or not mapped */
	uint8_t level;    /* 1, 2, 3: 4K, 2M, 1G */
	uint8_t nested;   /* of a nested guest, whose slots are unknown: counted, not checked */
	uint8_t smm;      /* of system management mode, which has other slots: counted, not checked */
	uint8_t looked_up;
	uint32_t stray; /* 1 + index of its first 4K page that is not contiguous in host memory; 0: none */
};

/* An entry that points to a table. Not for shadow paging, nested guests and SMM. */
struct stage2_upper {
	uint64_t gpa; /* of the first byte that it translates */
	uint64_t entry;
	uint8_t level;
};

/* Counters of the tables of one level and of their entries. */
struct stage2_level {
	uint64_t tables;
	uint64_t links;                                 /* entries that point to tables */
	uint64_t leaves;                                /* entries that map pages */
	uint64_t mmio;                                  /* MMIO entries of KVM: an access exits to the VMM */
	uint64_t frozen;                                /* entries that a CPU is changing */
	uint64_t odd;                                   /* entries of no known kind */
	uint64_t accessed, dirty, writable, executable; /* leaves */
};

struct stage2 {
	struct stage2_format format;
	bool tdp_mmu;       /* read from the roots of the TDP MMU; false: from the list of shadow pages */
	unsigned int roots; /* of the TDP MMU */
	unsigned int vcpus;
	struct stage2_slots slots;                     /* by GPA; address space 0, without SMM */
	ARRAY_OF(struct stage2_leaf) leaves;           /* by GPA */
	ARRAY_OF(struct stage2_upper) uppers;          /* in reading order */
	struct stage2_level levels[STAGE2_LEVELS + 1]; /* [1] to [5] */
	uint64_t unreadable;                           /* tables that were freed before they could be read */
	/* The second stage changed during each attempt to read it. */
	bool unsteady;
	/* Why backing was not looked up; empty text: it was. */
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

/* The kind of an entry of a table at `level`, 1 to 5. Present means present for KVM (SPTE_PRESENT). */
enum stage2_entry_kind stage2_entry_kind(const struct stage2_format *format, unsigned int level,
					 uint64_t entry);

/* HPA of the table or page that the entry points to. */
uint64_t stage2_entry_hpa(const struct stage2_format *format, unsigned int level, uint64_t entry);

/*
 * enum rights of this entry alone, by the hardware's bits. An EPT page that is tracked by faults may have no
 * R.
 */
unsigned int stage2_entry_rights(const struct stage2_format *format, uint64_t entry);

bool stage2_entry_accessed(const struct stage2_format *format, uint64_t entry);
bool stage2_entry_dirty(const struct stage2_format *format, uint64_t entry);

/* The reserved bits that are set in an entry that points to a table or maps a page. */
uint64_t stage2_entry_reserved(const struct stage2_format *format, unsigned int level, uint64_t entry);

/*
 * Describes an entry: "R-X WB ignore-PAT A D", "P W U A D PS NX", with KVM's software bits "host-writable
 * mmu-writable". EPT bits 57 (verify guest paging) and 58 (paging-write access) are shown as software bits,
 * because KVM does not enable these features. Returns out.
 */
const char *stage2_entry_text(const struct stage2_format *format, unsigned int level, uint64_t entry,
			      char *out, size_t size);

/* ---- decode.c: tables ---- */

/* A table, and the addresses that its entries translate. */
struct stage2_table {
	uint64_t gpa; /* that entry 0 translates */
	uint8_t level;
	bool passthrough; /* only entry 0 is in use */
	bool nested, smm;
	/*
	 * Shadow paging: per entry, the GPA of the frame that it maps; bits 11:0 are ignored. NULL: entry i
	 * translates gpa + i * the page size of its level.
	 */
	const uint64_t *translation;
};

/* A table that an entry points to. */
struct stage2_link {
	uint64_t hpa;
	uint64_t gpa;
	uint8_t level;
};

struct stage2_links {
	ARRAY_OF(struct stage2_link);
};

/*
 * Decodes the 512 entries of a table: updates the counters of its level and appends its leaves. Appends the
 * tables that it points to to `links`, which may be NULL. -1 if memory is out.
 */
int stage2_add_table(struct stage2 *stage2, const struct stage2_table *table, const uint64_t *entries,
		     struct stage2_links *links);

/*
 * Makes room for `more` leaves. Large arrays use huge pages, since page faults would take most of the reading
 * time. -1 if memory is out or there would be more than STAGE2_LEAVES_MAX leaves.
 */
int stage2_make_room(struct stage2 *stage2, size_t more);

/* Sorts slots and leaves by GPA, after the last table was added. -1 if memory is out. */
int stage2_sort(struct stage2 *stage2);

/* The slot that contains gpa, or NULL. Slots must be sorted. */
const struct stage2_slot *stage2_slot_at(const struct stage2 *stage2, uint64_t gpa);

/*
 * Index of the first leaf that begins at gpa or above; leaves.count if there is none. Leaves must be sorted.
 */
size_t stage2_leaf_from(const struct stage2 *stage2, uint64_t gpa);

/* The smallest leaf that translates gpa, or NULL. Leaves of nested guests and SMM are skipped. */
const struct stage2_leaf *stage2_leaf_at(const struct stage2 *stage2, uint64_t gpa);

/* An entry of `level` that points to a table and translates gpa, or NULL. */
const struct stage2_upper *stage2_upper_at(const struct stage2 *stage2, uint64_t gpa, unsigned int level);

/* ---- frames.c: host frames ---- */

/*
 * Finds the HVA of every leaf in `pagemap`, /proc/PID/pagemap or a file of that format. If the kernel
 * hides frames or the file cannot be read, stage2->no_frames has the reason. -1 only if memory is out.
 */
int stage2_look_up_frames(struct stage2 *stage2, const char *pagemap, struct error *error);

/* ---- check.c: V10 ---- */

enum stage2_problem {
	STAGE2_OK,
	STAGE2_NOT_COMPARED, /* another address space, memory without an HVA, or unknown frames */
	STAGE2_NO_SLOT,
	STAGE2_WIDER_THAN_SLOT,
	STAGE2_MISALIGNED, /* GPA and HVA differ within a page of this size */
	STAGE2_RESERVED,
	STAGE2_WRITABLE_SLOT, /* writable in a read-only slot */
	STAGE2_NOT_BACKED,    /* the process has nothing mapped at the HVA */
	STAGE2_OTHER_FRAME,
	STAGE2_PROBLEMS
};

/* The first problem that the checks of a leaf find; STAGE2_OK if there is none. */
enum stage2_problem stage2_check(const struct stage2 *stage2, const struct stage2_leaf *leaf);

/* "points at another frame than the process has there" */
const char *stage2_problem_text(enum stage2_problem problem);

/* The values that do not agree: "HPA 0x1000, the process has 0x2000 there". Returns out. */
const char *stage2_problem_detail(const struct stage2 *stage2, const struct stage2_leaf *leaf,
				  enum stage2_problem problem, char *out, size_t size);

/* Number of 4 KiB frames that a leaf maps. */
static inline uint64_t stage2_leaf_frames(const struct stage2_leaf *leaf)
{
	return page_level_size(leaf->level) / PAGE_4K;
}

struct stage2_verdict {
	uint64_t leaves;       /* compared with the frames of the process */
	uint64_t frames;       /* 4 KiB frames of these leaves */
	uint64_t not_compared; /* leaves that could not be compared */
	uint64_t problems[STAGE2_PROBLEMS];
	uint64_t findings;
};

/* Checks all leaves; `found`, if not NULL, is called for each that has a problem. */
void stage2_check_all(const struct stage2 *stage2, struct stage2_verdict *out,
		      void (*found)(void *context, const struct stage2_leaf *leaf,
				    enum stage2_problem problem),
		      void *context);

/* ---- effective.c: effective TLB page size ---- */

/*
 * Bytes of guest mappings: [level of the guest's page, 1 to 3][level of the second stage's page]. The TLB can
 * hold the smaller of the two. [][0]: not (yet) in the second stage.
 */
struct stage2_effective {
	uint64_t bytes[4][4];
	uint64_t splintered; /* 2M and 1G pages of the guest that smaller pages back, at least in part */
};

/*
 * Adds a page of `level` that the guest maps to gpa. Returns the effective level: the level of the smallest
 * page that backs part of it, at most `level`; 0 if nothing backs it.
 */
unsigned int stage2_effective_add(const struct stage2 *stage2, uint64_t gpa, unsigned int level,
				  struct stage2_effective *out);

#endif
