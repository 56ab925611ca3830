/* SPDX-License-Identifier: MIT */
/*
 * event.h: what the TLB model is fed with. An event says what one CPU did; their order is the order in which it happened.
 * Sources: the log of kvmap's own guest, a QEMU plugin, a recorded file (event_file.h), a test.
 */
#ifndef VMM_TLB_EVENT_H
#define VMM_TLB_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * X(NAME, number, word, fields, meaning)
 *   number  in files; never reused
 *   fields  of struct tlb_event, in the order of the file: A address, V value, O old, T thread, E entries
 * PAGE is needed before the entry that links a table, unless the source gives contents by tlb_config.page.
 */
#define TLB_EVENTS(X)                                                                                        \
	X(PAGE, 1, "page", "AE", "the 4K page at GPA A has these contents; entries that are left out are 0") \
	X(STORE, 2, "store", "AVOT", "V was stored to the table entry at GPA A; before it was O")            \
	X(INVLPG, 3, "invlpg", "A", "INVLPG of A")                                                           \
	X(INVPCID, 4, "invpcid", "AV", "INVPCID of the type in flags, PCID V, linear address A")             \
	X(CR0, 5, "cr0", "V", "MOV to CR0")                                                                  \
	X(CR3, 6, "cr3", "V", "MOV to CR3, bit 63 included")                                                 \
	X(CR4, 7, "cr4", "V", "MOV to CR4")                                                                  \
	X(EFER, 8, "efer", "V", "WRMSR to IA32_EFER")                                                        \
	X(FLUSH_RANGE, 9, "flush-range", "AV", "INVLPG of every page of [A, V)")                             \
	X(USER, 10, "user", "T", "thread T enters ring 3; its operations are over")                          \
	X(KERNEL, 11, "kernel", "", "the CPU leaves ring 3")                                                 \
	X(HALT, 12, "halt", "", "the CPU uses no translation until it wakes")                                \
	X(WAKE, 13, "wake", "", "the CPU uses translations again; its flushes on waking precede this")       \
	X(OPERATION_END, 14, "operation-end", "T", "an operation of thread T has returned")                  \
	X(ACCESS, 15, "access", "AV", "access of A by the kind in flags; V: the GPA that it used")           \
	X(ROUND_REQUEST, 16, "round-request", "AVO", "flush round V of [A, O) on all CPUs was requested")    \
	X(ROUND_DONE, 17, "round-done", "V", "flush round V was reported as complete")                       \
	X(FRAMES_TAKEN, 18, "frames-taken", "AV", "GPA [A, V) was allocated")                                \
	X(FRAMES_RETURNED, 19, "frames-returned", "AV", "GPA [A, V) was freed")                              \
	X(RANGE_TAKEN, 20, "range-taken", "AV", "GVA [A, V) was allocated")                                  \
	X(RANGE_RETURNED, 21, "range-returned", "AV", "GVA [A, V) was freed")                                \
	X(IPI, 22, "ipi", "V",                                                                               \
	  "the CPU sent an interrupt to CPU V; UINT64_MAX: to all others. Counted only")                     \
	X(FLUSH_BEGUN, 23, "flush-begun", "V",                                                               \
	  "the next event of this CPU is a flush that began after event V: later removals are not covered")  \
	X(FLUSHED, 24, "flushed", "AVO",                                                                     \
	  "a function returned that promises a flush of what operations that had returned at event V unmapped in [A, O)")

#define TLB_EVENT_ENUM(NAME, number, word, fields, meaning) TLB_##NAME = (number),
enum tlb_event_kind { TLB_EVENTS(TLB_EVENT_ENUM) TLB_EVENT_KINDS };
#undef TLB_EVENT_ENUM

/* Flags of TLB_ACCESS. Neither WRITE nor FETCH: a read. */
#define TLB_ACCESS_WRITE      0x01u
#define TLB_ACCESS_FETCH      0x02u
#define TLB_ACCESS_USER       0x04u /* in ring 3 */
#define TLB_ACCESS_USED       0x08u /* value is known */
#define TLB_ACCESS_SIZE_SHIFT 4     /* bits 6:4: log2 of the number of bytes */
/* Flags of TLB_STORE. */
#define TLB_STORE_OLD_KNOWN 0x01u
/* TLB_INVPCID: the type, 0 to 3 (SDM vol. 2A, INVPCID). */
#define TLB_INVPCID_ADDRESS         0
#define TLB_INVPCID_SINGLE          1
#define TLB_INVPCID_ALL_WITH_GLOBAL 2
#define TLB_INVPCID_ALL             3

#define TLB_CPUS_MAX 256

/* A thread is any number that its source chooses (root and FS base, an operation's index). 0: not known; never over. */
struct tlb_event {
	uint8_t kind; /* enum tlb_event_kind */
	uint8_t flags;
	uint16_t cpu;
	uint64_t address, value, old, thread;
	const uint64_t *entries; /* 512 of TLB_PAGE; borrowed */
};

/* "AVOT" ...; NULL: there is no such kind. */
const char *tlb_event_fields(unsigned int kind);
/* "store" ...; "unknown". */
const char *tlb_event_word(unsigned int kind);

/*
 * NULL if a model of `cpus` CPUs can be fed with the event; else what is wrong: "CPU number too large". Contents of pages
 * are not restricted.
 */
const char *tlb_event_wrong(const struct tlb_event *event, unsigned int cpus);

#endif
