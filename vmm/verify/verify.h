/* SPDX-License-Identifier: MIT */
/*
 * verify.h: claims against tables. Pure: reads a view, does no I/O, knows no KVM.
 *
 * One file per invariant; `invariants` in invariants.c is the table of them.
 */
#ifndef VMM_VERIFY_VERIFY_H
#define VMM_VERIFY_VERIFY_H

#include "base/array.h"
#include "claims/claims.h"
#include "program/symbols.h"
#include "paging/walk.h"
#include "stage2/stage2.h"

#define INVARIANTS 13

/* A disagreement. */
struct finding {
	unsigned int invariant; /* 1..13; 0: an operation of the script failed in the guest */
	uint64_t address;       /* GVA, or GPA where the invariant is about frames */
	char claimed[128];
	char found[128];
	char where[192]; /* area, symbol or structure */
	size_t area;     /* index + 1 into claims.areas of that verification; 0: about no area */
};

enum seen { SEEN, NOT_SEEN };

struct invariant_result {
	enum seen seen;
	char why_not[256]; /* NOT_SEEN: what was missing */
	uint64_t checked;  /* things compared */
	uint64_t findings; /* all of them, even where the list was cut */
};

/* At most so many findings are listed for one invariant; all are counted. */
#define FINDINGS_LISTED 32

struct verdict {
	struct invariant_result results[INVARIANTS + 1]; /* [1]..[13]; [0] for the script's own */
	ARRAY_OF(struct finding) findings;
	uint64_t finding_count;
};

/* What is verified. All borrowed. */
struct verify_input {
	const struct view *view;
	const struct walk_mode *mode;
	const struct claims *claims;
	struct symbols *symbols;
	/* One name per variable of the script, for messages; may be NULL. */
	const char *const *variable_names;
	size_t variable_name_count;
	/* The second stage, read while the guest stood still. NULL: not seen, and no_stage2, if not NULL,
	 * says why. */
	const struct stage2 *stage2;
	const char *no_stage2;
	/*
	 * Where not NULL: one for each of claims->areas, zeroed. Bit i is set if invariant i has a finding
	 * about that area, for most invariants whether it is listed or not.
	 */
	uint32_t *area_findings;
};

/* Checks every invariant. 0, or -1 when memory is out. */
int verify(const struct verify_input *input, struct verdict *out, struct error *error);
void verdict_destroy(struct verdict *verdict);

/* Adds b's counts and findings to a (several `verify` in one run); a finding that a lists already is the same
 * one and is not counted again. b stays. -1 when memory is out. */
int verdict_add(struct verdict *a, const struct verdict *b);

/* "V1", and one line of what it says: "every page of every live area maps the frame that the area claims". */
const char *invariant_name(unsigned int invariant);
const char *invariant_text(unsigned int invariant);

#endif
