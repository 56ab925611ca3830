/* SPDX-License-Identifier: MIT */
/*
 * translated.h: compares the walk's translations with KVM's (KVM_TRANSLATE), where the second stage cannot be
 * read.
 */
#ifndef VMM_PAGING_TRANSLATED_H
#define VMM_PAGING_TRANSLATED_H

#include "paging/walk.h"

/* Limit of translations, since each costs a system call. A view may have a lower limit (translate_max). */
#define TRANSLATED_MOST 4096

struct translated {
	uint64_t asked;     /* translations that KVM was queried for */
	uint64_t differing; /* of these, the ones that differ from the walk */
	/* The first that differs: */
	uint64_t gva;
	uint64_t walk_gpa; /* by the page tables */
	bool valid;        /* KVM has a translation, kvm_gpa */
	uint64_t kvm_gpa;
	bool cut_short; /* a limit ended the comparison: of translations, or of the scan's tables */
};

/*
 * Compares the first and the last page of each range that the tables map, with the translation of CPU 0. The
 * view must have `translate`. -1 if the ioctl fails; *out then has the results before the failure.
 */
int translated_compare(const struct view *view, const struct walk_mode *mode, struct translated *out);

#endif
