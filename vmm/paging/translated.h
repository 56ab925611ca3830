/* SPDX-License-Identifier: MIT */
/*
 * translated.h: KVM's own translations (KVM_TRANSLATE) beside the walk's: what is left to compare where the
 * second stage cannot be read.
 */
#ifndef VMM_PAGING_TRANSLATED_H
#define VMM_PAGING_TRANSLATED_H

#include "paging/walk.h"

/* Each question has its price, so that there is a bound. A view may bear fewer (translate_max). */
#define TRANSLATED_MOST 4096

struct translated {
	uint64_t asked;
	uint64_t differing;
	uint64_t gva;      /* the first that differs: */
	uint64_t walk_gpa; /* by the tables */
	bool valid;        /* KVM says that there is a translation */
	uint64_t kvm_gpa;  /* then: this one */
	bool cut_short;    /* there is more to ask */
};

/*
 * Asks KVM for the first and the last page of each range that the tables map, by CPU 0 of a view that has
 * translate. -1 if the ioctl fails; *out holds what was asked before.
 */
int translated_compare(const struct view *view, const struct walk_mode *mode, struct translated *out);

#endif
