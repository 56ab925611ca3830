/* SPDX-License-Identifier: MIT */
/*
 * invariants.h: the table of what is verified. An invariant is one row here and one file.
 */
#ifndef VMM_VERIFY_INVARIANTS_H
#define VMM_VERIFY_INVARIANTS_H

/*
 * X(number, function, needs_claims, rule)
 *   number        V1 and so on, without a gap
 *   function      check_FUNCTION()
 *   needs_claims  CLAIMS: not seen without them; TABLES: checked also without claims
 *   rule          in one line, for the verdict
 */
#define INVARIANT_TABLE(X)                                                                                     \
	X(1, mappings, CLAIMS,                                                                                 \
	  "every page of every live area maps the frame that the area claims, with its rights")                \
	X(2, stray, CLAIMS, "nothing else is mapped in the vmalloc range")                                     \
	X(3, guards, CLAIMS, "every guard page is unmapped, at every level")                                   \
	X(4, owners, CLAIMS, "every frame of RAM has exactly one owner")                                       \
	X(5, sharing, CLAIMS, "a frame of an area is mapped nowhere else but in the direct map")               \
	X(6, tables, TABLES, "every page-table page is in RAM, reached once and owned as a page table")        \
	X(7, protection, TABLES,                                                                               \
	  "W^X by mapping and by frame, no user pages, the low half unmapped, text and rodata as in the file") \
	X(8, space, CLAIMS,                                                                                    \
	  "areas do not overlap; the free tree is their complement, in order and balanced")                    \
	X(9, flushes, CLAIMS, "nothing is used again before a flush that covers it")                           \
	X(10, second_stage, TABLES,                                                                            \
	  "every page that the guest maps lies in its memory, and in the second stage")                        \
	X(11, translate, TABLES, "KVM's own translation agrees with the walk")                                 \
	X(12, contents, CLAIMS,                                                                                \
	  "bytes written through the guest's mapping are found through the host's walk")                       \
	X(13, counters, CLAIMS, "the guest's counters equal the host's recount")

#define INVARIANT_COUNT(number, function, needs_claims, rule) +1
enum { INVARIANTS = 0 INVARIANT_TABLE(INVARIANT_COUNT) };
#undef INVARIANT_COUNT

/* V4 and V10, whose verdicts have counts of their own. */
#define INVARIANT_OWNERS       4
#define INVARIANT_SECOND_STAGE 10

#endif
