/* SPDX-License-Identifier: MIT */
/*
 * verify.h: checks the guest's claims against its page tables, its memory and each other. Reads a view; does
 * no I/O and does not use KVM.
 *
 * Each invariant has a file; the table in invariants.h lists them.
 */
#ifndef VMM_VERIFY_VERIFY_H
#define VMM_VERIFY_VERIFY_H

#include "base/array.h"
#include "claims/claims.h"
#include "program/symbols.h"
#include "paging/walk.h"
#include "stage2/stage2.h"
#include "verify/invariants.h"

#include <stdbool.h>

struct history;
struct requests;

/*
 * The object of a finding. Within one invariant, findings about the same object are one: objects of one kind that
 * overlap, [start, end).
 */
enum finding_object_kind {
	OBJECT_OWN,       /* of this finding alone */
	OBJECT_VIRTUAL,   /* virtual memory: GVAs */
	OBJECT_PHYSICAL,  /* guest-physical memory: GPAs */
	OBJECT_FLUSH,     /* a flush that was left out: the stamp of the next one */
	OBJECT_STRUCTURE, /* a structure of the guest: its address or number */
};

struct finding_object {
	enum finding_object_kind kind;
	uint64_t start, end;
};

/* A check that failed. */
struct finding {
	unsigned int invariant; /* 1 to INVARIANTS; 0: an operation of the script failed in the guest */
	uint64_t address;       /* GVA, or GPA if the invariant is about frames */
	char claimed[128];
	char found[128];
	char where[192]; /* area, symbol or structure */
	size_t area;     /* index + 1 into claims.areas of that verification; 0: not about an area */
	/* Pages side by side, or of one group, with the same cause are one finding. The texts are of the first. */
	uint64_t pages;                  /* number of them; 0: the finding is about no page */
	uint64_t range_start, range_end; /* GVA, or GPA if the invariant is about frames */
	bool gaps;                       /* not all pages of the range are wrong */
	const char *cause;               /* compared as a pointer, as is the variant */
	uint64_t variant;
	uint64_t group; /* of the pages: those of one group are one finding with gaps; 0: none */
	struct finding_object object;
	char after
		[200]; /* the operation after which it was first found: set by who runs them; "": not known */
	size_t of;     /* in verdict.further: index into verdict.findings */
	uint64_t more_unlisted; /* further claims about the object that verdict.further had no room for */
};

enum seen { SEEN, NOT_SEEN };

struct invariant_result {
	enum seen seen;
	char why_not[256]; /* NOT_SEEN: the reason */
	uint64_t checked;  /* number of checks */
	uint64_t findings; /* number of findings, including those beyond FINDINGS_LISTED */
};

/* Limit of listed findings per invariant, and of further claims about them. */
#define FINDINGS_LISTED 32

struct verdict {
	struct invariant_result results[INVARIANTS + 1]; /* [0]: operations of the script */
	ARRAY_OF(struct finding) findings;
	ARRAY_OF(struct finding)
	further;                /* other claims about the object of a finding (`of`) that failed too */
	uint64_t finding_count; /* without `further` */
	/* V10 in the last verification that read the second stage; included in results[10].checked. */
	uint64_t slots_checked;         /* memory slots of the kernel */
	uint64_t stage2_leaves_checked; /* leaves of the second stage */
	/* Frames of areas on another node than the request prefers, in the last verification. */
	uint64_t fallback_frames;
	const char *source; /* how a command line calls what was verified; borrowed; NULL: not known */
};

/* A 4K page of an area, and its frame. */
struct seen_page {
	uint64_t gva, gpa;
};

/* Zero is that of a guest that was not verified yet. The owner frees items. */
struct seen_pages {
	ARRAY_OF(struct seen_page);
	uint64_t generation; /* tlb_gen then */
};

/* The input of a verification. All pointers are borrowed. */
struct verify_input {
	const struct view *view;
	const struct walk_mode *mode;
	const struct claims *claims;
	struct symbols *symbols;
	/* Names of the variables of the script, for messages; may be NULL. */
	const char *const *variable_names;
	size_t variable_name_count;
	/*
	 * The second stage, read while no vCPU ran. NULL: not seen; the reason is no_stage2, which may be
	 * NULL.
	 */
	const struct stage2 *stage2;
	const char *no_stage2;
	/*
	 * The guest's event log until this stop, or NULL: then V9 uses the guest's own log of flushes. Its new
	 * findings are taken.
	 */
	struct history *history;
	/* Pages of areas that the verification before has seen mapped; replaced by this one's. NULL: none are kept. */
	struct seen_pages *seen;
	/* The requests of the script (requests.h). NULL: not known. */
	const struct requests *requests;
	/*
	 * May be NULL. Parallel to claims->areas, zeroed by the caller. Bit i is set if invariant i has a
	 * finding about the area; most invariants also set it for findings beyond FINDINGS_LISTED.
	 */
	uint32_t *area_findings;
	/*
	 * The guest died: rules that need not hold in the operation that a CPU is in (in_progress.h) have no findings. False:
	 * it is between operations, or the caller repeats the verification until it does.
	 */
	bool died;
};

/* Checks every invariant. 0, or -1 if memory is out. */
int verify(const struct verify_input *input, struct verdict *out, struct error *error);
void verdict_destroy(struct verdict *verdict);

/*
 * Adds the counts and findings of b to a, for several `verify` in one run. A finding that a has already is
 * not counted again. The numbers of slots and leaves become those of b. b is unchanged. -1 if memory is out.
 */
int verdict_add(struct verdict *a, const struct verdict *b);

/* "V1", and its rule in one line: "every page of every live area maps the frame that the area claims". */
const char *invariant_name(unsigned int invariant);
const char *invariant_text(unsigned int invariant);

/* "minor", "major" or "critical": enum severity. */
const char *invariant_severity(unsigned int invariant);

/* The command that shows more of the address of a finding; "": none. */
const char *invariant_next(unsigned int invariant);

#endif
