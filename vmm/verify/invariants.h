/* SPDX-License-Identifier: MIT */
/*
 * invariants.h: the table of what is verified. An invariant is one row here and one file.
 */
#ifndef VMM_VERIFY_INVARIANTS_H
#define VMM_VERIFY_INVARIANTS_H

/*
 * X(number, function, needs_claims, severity, next, rule)
 *   number        V1 and so on, without a gap
 *   function      check_FUNCTION()
 *   needs_claims  CLAIMS: not seen without them; TABLES: checked also without claims
 *   severity      enum severity, without its prefix
 *   next          the command that shows more of the address of a finding: "walk"; "": none
 *   rule          in one line, for the verdict
 */
#define INVARIANT_TABLE(X)                                                                                     \
	X(1, mappings, CLAIMS, CRITICAL, "walk",                                                               \
	  "every page of every live area maps the frame that the area claims, with its rights")                \
	X(2, stray, CLAIMS, CRITICAL, "walk", "nothing else is mapped in the vmalloc range")                   \
	X(3, guards, CLAIMS, MAJOR, "walk", "every guard page is unmapped, at every level")                    \
	X(4, owners, CLAIMS, CRITICAL, "frames", "every frame of RAM has exactly one owner")                   \
	X(5, sharing, CLAIMS, CRITICAL, "frames",                                                              \
	  "a frame of an area is mapped nowhere else but in the direct map")                                   \
	X(6, tables, TABLES, CRITICAL, "",                                                                     \
	  "every page-table page is in RAM, reached once and owned as a page table")                           \
	X(7, protection, TABLES, CRITICAL, "walk",                                                             \
	  "W^X by mapping and by frame, no user pages, the low half unmapped, text and rodata as in the file") \
	X(8, space, CLAIMS, MAJOR, "areas",                                                                    \
	  "areas do not overlap; the free tree is their complement, in order and balanced")                    \
	X(9, flushes, CLAIMS, CRITICAL, "areas", "nothing is used again before a flush that covers it")        \
	X(10, second_stage, TABLES, MAJOR, "",                                                                 \
	  "every page that the guest maps lies in its memory, and in the second stage")                        \
	X(11, translate, TABLES, MAJOR, "walk", "KVM's own translation agrees with the walk")                  \
	X(12, contents, CLAIMS, CRITICAL, "walk",                                                              \
	  "bytes written through the guest's mapping are found through the host's walk")                       \
	X(13, counters, CLAIMS, MINOR, "proc", "the guest's counters equal the host's recount")

/* SEVERITY_MINOR: only numbers are wrong, or memory is lost. */
enum severity {
	SEVERITY_MINOR,
	SEVERITY_MAJOR,    /* a protection is missing, or requests fail that should not */
	SEVERITY_CRITICAL, /* memory may be read or written that is another's */
};

#define INVARIANT_COUNT(number, ...) +1
enum { INVARIANTS = 0 INVARIANT_TABLE(INVARIANT_COUNT) };
#undef INVARIANT_COUNT

/* V4 and V10, whose verdicts have counts of their own. */
#define INVARIANT_OWNERS       4
#define INVARIANT_SECOND_STAGE 10

#endif
