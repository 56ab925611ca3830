/* SPDX-License-Identifier: MIT */
/*
 * arch.h: the interface between the memory manager and the architecture. Only guest/arch writes page-table
 * entries and flushes TLBs. The hosted build compiles the real guest/arch page-table code and replaces only
 * the instructions below it (flushes, CR3).
 *
 * guest/arch includes no other header of guest/mm.
 */
#ifndef GUEST_MM_ARCH_H
#define GUEST_MM_ARCH_H

#include "mm/direct_map.h" /* __va(), __pa() */
#include "mm/interrupt.h"
#include "mm/locks.h"
#include "mm/mm_types.h"
#include "mm/percpu.h"
#include "mm/roots.h"

/* Permissions of a page besides reading. PGPROT_EXECUTE: executable, not writable. */
enum pgprot { PGPROT_READONLY, PGPROT_READWRITE, PGPROT_EXECUTE };

/* ---- called by guest/mm, implemented by guest/arch ---- */

/*
 * Maps the nr frames of the chain that starts at pfn `first` at va, va + 4K, ..., NX, supervisor; stores each
 * frame's page.vpn. Returns 0, or -1 without memory for page tables: then nothing of the range is mapped.
 * Needs no flush, since the range had no translation.
 *
 * *table: in and out: pfn of the page table of va as an earlier call for va returned it, or 0; saves the
 * walk.
 */
int arch_map_chain(unsigned long va, u32 first, u32 nr, enum pgprot prot, u32 *table);

/*
 * arch_map_chain() for nr frames that have owners: their struct pages do not change.
 */
int arch_map_pages(unsigned long va, struct page *const *pages, u32 nr, enum pgprot prot, u32 *table);

/*
 * arch_map_chain() for nr frames whose chain begins with buddy blocks of 2M, which are mapped by 2M leaves;
 * va must be 2M-aligned. *cut_out: chain of the page tables that leaves have replaced, 0 = none; each is
 * logged with TLB_FLUSH_TABLE. The caller must flush the range before it is accessed, then free these tables.
 */
int arch_map_huge(unsigned long va, u32 first, u32 nr, enum pgprot prot, u32 *cut_out);

/* arch_unmap() for a range that arch_map_huge() mapped. */
u64 arch_unmap_huge(unsigned long va, u32 nr);

/*
 * Clears the PTEs of a mapped range. No flush. Increments tlb_gen and returns the new value, the stamp of
 * this unmapping. table: as arch_map_chain() returned it, or 0.
 */
u64 arch_unmap(unsigned long va, u32 nr, u32 table);

/*
 * arch_unmap() or arch_unmap_huge() for an executable range, logged as such. The caller must flush it before a
 * frame of it is freed, whatever the policy.
 */
u64 arch_unmap_executable(unsigned long va, u32 nr, bool huge);

/*
 * Sets the permissions of a mapped range. PGPROT_READONLY, the only value that removes a permission, is
 * logged with TLB_FLUSH_PROTECT; the caller must flush the range.
 */
void arch_protect(unsigned long va, u32 nr, enum pgprot prot);

/* ---- one page table: 2M of addresses, 2M-aligned ---- */

/*
 * The page table of va for the functions below, allocated if missing; NULL without memory. It is valid until
 * a 2M leaf is mapped there.
 */
void *arch_table_make(unsigned long va);

/* pfn of the page table of va; 0 if there is none. va may be any address of the vmalloc range. */
u32 arch_table_frame(unsigned long va);

/*
 * arch_map_pages() and arch_unmap() for pages that all have their PTEs in `table`, mapped read-write. They
 * cannot fail.
 */
void arch_table_map(void *table, unsigned long va, struct page *const *pages, u32 nr);
u64 arch_table_unmap(void *table, unsigned long va, u32 nr);

/* Addresses [start, end), page-aligned. */
struct tlb_range {
	unsigned long start, end;
};

/*
 * Flushes the ranges (nr == 0: every translation, global ones too) on all CPUs that may hold a translation of
 * them, in one TLB shootdown. Returns when every flush is complete and logged. A halted CPU is skipped: it
 * flushes when it wakes, before any access.
 */
void arch_flush_ranges(const struct tlb_range *ranges, u32 nr);

/*
 * Holds another CPU outside the memory manager, so that this CPU can change its per-CPU data, until
 * arch_release_cpu(). False if the CPU stays inside. One CPU holds others at a time, and it must not wait for
 * what a held CPU may have: a held CPU has no lock of the memory manager.
 */
bool arch_hold_cpu(u32 cpu);
void arch_release_cpu(u32 cpu);

/*
 * Between these this CPU may be held: it does not use its per-CPU data. arch_hold_forbid() waits until it is
 * released.
 */
void arch_hold_allow(void);
void arch_hold_forbid(void);

/*
 * The GPA that va is mapped to, or ~0 if it is not mapped. Lockless: other CPUs may map, unmap, and reuse
 * page tables meanwhile; the result was true at some time during the call.
 */
u64 arch_virt_to_phys(unsigned long va);

/* ---- the event log (kvmap/event_log.h): stores to entries and flushes are logged by guest/arch ---- */

/* 1: it is kept. The functions below are called only then. */
extern u32 event_log_on;

/* One comparison with memory and a jump: the compiler would load it first. */
static inline bool log_is_on(void)
{
	bool on;

	asm("cmpl $0, %1" : "=@ccne"(on) : "m"(event_log_on));
	return on;
}

/*
 * Begins it, in `area`: for each CPU `size` and `second` bytes, at least KVMAP_LOG_SIZE_MIN and KVMAP_LOG_SECOND_MIN.
 * All other CPUs are idle.
 */
void arch_log_open(void *area, u32 size, u32 second);

/*
 * Frames from pfn on were allocated (taken) or freed. Not for frames of areas and page tables: the entries that lead to
 * them are logged.
 */
void arch_log_frames(u32 pfn, u32 nr, bool taken);

/* [start, end) was taken from the free ranges, or is one again. Not for cached ranges: their entries are logged. */
void arch_log_range(unsigned long start, unsigned long end, bool taken);

/* An operation of the script begins or has returned on this CPU. */
void arch_log_operation(u32 number, bool begins);

/* ---- called by guest/arch, implemented by guest/mm ---- */

/* Allocates a zeroed frame as a page table, counted as such; returns its pfn, 0 without memory. */
u32 pgtable_alloc(void);

/* Frees a page table. No TLB or paging-structure cache may still lead to it. */
void pgtable_free(u32 pfn);

#endif
