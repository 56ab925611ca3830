/* SPDX-License-Identifier: MIT */
/*
 * guest.h: a guest's core in copies that may be damaged, and everything that kvmap can be asked about it.
 */
#ifndef TESTS_FUZZ_GUEST_H
#define TESTS_FUZZ_GUEST_H

#include "base/array.h"
#include "claims/claims.h"
#include "report/report.h"

#define GUEST_PAGE_WORDS 512

struct guest {
	struct view *core; /* stays open: its file knows the holes */
	struct view view;  /* the same, but over copies that may be changed */
	struct symbols *symbols;
	struct claims_layout *layout;
	struct walk_mode mode;      /* of the core */
	struct claims sound;        /* of the core */
	ARRAY_OF(uint64_t *) pages; /* pages of the copies that were ever written */
};

struct damaged_word {
	uint64_t *at, was;
};

/* Ends the process with a line where it cannot be opened. */
void guest_open(struct guest *guest, const char *core_path, const char *program);
void guest_close(struct guest *guest);

/* Puts back what stood there. */
void guest_repair(const struct damaged_word *words, unsigned int count);

/* What of the guest to ask for. */
enum guest_question {
	ASK_VERDICT = 1 << 0,
	ASK_AREAS = 1 << 1, /* with the verdict on each */
	ASK_MAP = 1 << 2,
	ASK_WALKS = 1 << 3,
	ASK_FRAMES = 1 << 4,
	ASK_DIFF = 1 << 5, /* from the guest as it was before it was damaged */
	ASK_ALL = (1 << 6) - 1,
};

#define GUEST_WALKS 4
struct guest_questions {
	unsigned int what;           /* enum guest_question */
	uint64_t walks[GUEST_WALKS]; /* addresses */
	uint64_t frame;              /* any number: it is made one of the guest's */
	bool frames_by_claims;       /* else as of a guest without claims */
};

/* True if the verdict, which is of what was asked for, has a finding, or the guest could not be read at all.
 */
bool guest_ask(struct report *report, const struct guest *guest, const struct guest_questions *questions);

/* Is the text that a report became fit for a terminal, and JSON where it should be? Changes it. */
bool guest_report_is_fit(char *text, enum report_format format);

/* Prints "Bail out! WHAT" and ends the process. */
void guest_die(const char *what) __attribute__((noreturn));

#endif
