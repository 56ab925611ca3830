/* SPDX-License-Identifier: MIT */
/*
 * rules.h: the rules of the TLB model. The match of a rule is a finding where the configuration says so, else a figure.
 */
#ifndef VMM_TLB_RULES_H
#define VMM_TLB_RULES_H

#include <stdint.h>

/*
 * X(NAME, word, profiles, proves, blind)
 *   profiles  where a match is a finding: A any kernel with its accesses seen, K any kernel on KVM (no accesses seen),
 *             O kvmap's own guest
 *   proves    what a finding proves
 *   blind     what the rule cannot see
 */
#define TLB_RULES(X)                                                                                                   \
	X(STALE_USE, "stale-use", "AKO",                                                                               \
	  "a CPU used an address through a translation that it had to have flushed: the access went to the old frame", \
	  "addresses that no CPU accesses; DMA; a right that nothing uses")                                            \
	X(EXPOSED_USE, "exposed-use", "AKO",                                                                           \
	  "a CPU used an address while it may hold an old translation of it that nothing entitles it to keep",         \
	  "as stale-use; whether the processor still had the old translation is not known")                            \
	X(USER_OWES, "user-owes", "AKO",                                                                               \
	  "a CPU runs in ring 3 and may hold a user translation whose removal has returned to its caller",             \
	  "removals by kernel threads and by unknown threads; translations of other PCIDs")                            \
	X(TABLE_WRITE, "table-write", "AKO",                                                                           \
	  "a page that was a page table was written while a CPU may still walk it as one",                             \
	  "zeros; stores that the source does not report; tables that were not known")                                 \
	X(REMAPPED, "remapped", "K",                                                                                   \
	  "a kernel address got another frame while a running CPU may hold the old one",                               \
	  "user addresses; frames used again at other addresses; addresses that are local by design")                  \
	X(UNLOGGED_STORE, "unlogged-store", "O",                                                                       \
	  "an entry of a table changed without an event: its old value in a store is not the known one",               \
	  "entries that are never stored to again; accessed and dirty bits")                                           \
	X(FRAME_REUSE, "frame-reuse", "O",                                                                             \
	  "a frame was allocated while a CPU may still reach it by an old translation",                                \
	  "frames whose allocation has no event")                                                                      \
	X(TABLE_REUSE, "table-reuse", "O",                                                                             \
	  "a page that was a page table was allocated while a CPU may still walk it",                                  \
	  "frames whose allocation has no event; tables that were not known")                                          \
	X(RANGE_REUSE, "range-reuse", "O",                                                                             \
	  "an address range was allocated while a CPU may hold old translations of it",                                \
	  "ranges whose allocation has no event")                                                                      \
	X(RIGHT_KEPT, "right-kept", "O",                                                                               \
	  "an operation took a right away and returned while a running CPU may still use it",                          \
	  "operations of unknown threads")                                                                             \
	X(ROUND_SHORT, "round-short", "O",                                                                             \
	  "a flush round was reported as complete while a CPU may hold what the round covers",                         \
	  "rounds without events; what was unmapped after the request")                                                \
	X(FLUSH_PROMISED, "flush-promised", "O",                                                                       \
	  "a function that promises a flush of all that was unmapped returned while a CPU may hold some of it",        \
	  "what operations unmapped that had not returned when it began")                                              \
	X(EXECUTE_KEPT, "execute-kept", "O",                                                                           \
	  "an operation unmapped an executable, read-only page and returned while a running CPU may still execute it", \
	  "operations of unknown threads; pages that are writable, too")                                               \
	X(TABLE_KEPT, "table-kept", "O",                                                                               \
	  "an operation took a page table away and returned while a running CPU may still walk it",                    \
	  "operations of unknown threads")                                                                             \
	X(TABLE_RETURNED, "table-returned", "O",                                                                       \
	  "a page that was a page table was freed while a CPU may still walk it",                                      \
	  "frames that are freed without an event; tables that were not known")

#define TLB_RULE_ENUM(NAME, word, profiles, proves, blind) TLB_RULE_##NAME,
enum tlb_rule { TLB_RULES(TLB_RULE_ENUM) TLB_RULE_COUNT };
#undef TLB_RULE_ENUM

#define TLB_RULE_BIT(rule) (1u << (rule))

struct tlb_rule_text {
	const char *word, *profiles, *proves, *blind;
};

extern const struct tlb_rule_text tlb_rules[TLB_RULE_COUNT];

/* The rules whose matches are findings in a profile: 'A', 'K' or 'O'. A mask of TLB_RULE_BIT(). */
uint32_t tlb_profile_rules(char profile);

#endif
