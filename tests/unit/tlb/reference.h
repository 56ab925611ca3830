/* SPDX-License-Identifier: MIT */
/*
 * reference.h: the TLB model once more, slow and direct: each CPU has the list of all that it may hold, and after each event
 * everything that its tables give is added to it. Takes the same events; has no limits.
 */
#ifndef TESTS_UNIT_TLB_REFERENCE_H
#define TESTS_UNIT_TLB_REFERENCE_H

#include "tlb/tlb.h"

#define REFERENCE_CPUS  4
#define REFERENCE_PAGES 16
#define REFERENCE_PCIDS 4
#define REFERENCE_HELD  8192
#define REFERENCE_HEADS 1024

/* The only indices of entries that are not 0. */
#define REFERENCE_INDICES 4
extern const unsigned int reference_indices[REFERENCE_INDICES];

struct held {
	uint64_t va, frame;
	uint16_t pcid;
	uint8_t level, rights;
	bool is_table, is_global, was_freed;
	int next; /* of the same hash */
};

struct reference_cpu {
	uint64_t cr0, cr3, cr4;
	bool has_context[REFERENCE_PCIDS];
	uint64_t roots[REFERENCE_PCIDS];
	int current; /* PCID; -1: no paging */
	struct held held[REFERENCE_HELD];
	int count, heads[REFERENCE_HEADS];
};

struct reference {
	unsigned int cpus;
	uint64_t memory[REFERENCE_PAGES][512]; /* GPA 0 on: all tables lie there */
	struct reference_cpu cpu[REFERENCE_CPUS];
	/* Results of the last event: */
	bool is_full; /* REFERENCE_HELD was not enough: the results have no meaning */
	bool was_flush, was_needless, was_late_use, was_table_write;
};

void reference_init(struct reference *reference, unsigned int cpus);
void reference_feed(struct reference *reference, const struct tlb_event *event);
/* Whether the tables do not give it now. */
bool reference_owes(const struct reference *reference, unsigned int cpu, const struct held *held);

#endif
