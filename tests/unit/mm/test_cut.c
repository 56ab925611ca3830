/* SPDX-License-Identifier: MIT */
/*
 * test_cut.c: page tables that a 2M leaf replaces during a lockless walk. The walk of one CPU is stopped
 * after each of its instructions in turn (EFLAGS.TF); there another CPU replaces the table and fills its
 * frame.
 */
#define _GNU_SOURCE /* REG_EFL */
#include "sim.h"

#include "arch/x86_64/pgtable.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#define M2 (2ul << 20)

/* More instructions than a walk has with any compiler and sanitizer. */
#define STEPS_MAX 20000

static unsigned long region; /* 2M of addresses with an empty page table */
static volatile sig_atomic_t stop_at, steps;
static u32 data, data_nr; /* chain of frames allocated after the page table was freed */

/*
 * A leaf replaces the table, and all free frames, its own among them, are filled with data that a walk would
 * take for an entry.
 */
static void other_cpu(void)
{
	unsigned long huge = (unsigned long)vmalloc_huge(M2, GFP_KERNEL);

	cr_assert_eq(huge, region);
	vfree((void *)huge);
	vmalloc_purge();
	data_nr = (u32)frames_free_count();
	data = frames_alloc_chain(data_nr, PAGE_HELD);
	for (u32 pfn = data; pfn; pfn = pfn_to_page(pfn)->next)
		*(u64 *)__va((u64)pfn << PAGE_SHIFT) = 0x000fedcba9876000ul | _PAGE_KERNEL;
}

static void step(int number, siginfo_t *info, void *context)
{
	greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];

	(void)number;
	(void)info;
	if (++steps != stop_at)
		return;
	*flags &= ~(greg_t)0x100;
	other_cpu();
}

static void trace(bool on)
{
	if (on)
		asm volatile("pushfq; orq $0x100, (%%rsp); popfq" : : : "memory", "cc");
	else
		asm volatile("pushfq; andq $~0x100, (%%rsp); popfq" : : : "memory", "cc");
}

/* Frees the region again, with an empty page table; false without memory. */
static void table_again(void)
{
	void *area = vmalloc(2 * M2);

	region = ALIGN_UP((unsigned long)area, M2);
	vfree(area);
	vmalloc_purge();
	cr_assert_not(*pmd_make(region) & _PAGE_PSE);
}

Test(cut, a_walk_that_meets_a_table_which_goes_away_never_reads_what_its_frame_became)
{
	struct sigaction action = { .sa_sigaction = step, .sa_flags = SA_SIGINFO };
	u64 table, met = 0;

	sim_boot(KVMAP_POLICY_STRICT);
	sigaction(SIGTRAP, &action, NULL);
	for (stop_at = 1;; stop_at++) {
		unsigned long pfn;

		cr_assert_lt(stop_at, STEPS_MAX);
		table_again();
		table = *pmd_make(region) & PTE_PFN_MASK;
		steps = 0;
		trace(true);
		pfn = vmalloc_to_pfn((void *)region);
		trace(false);
		if (steps < stop_at)
			break;
		cr_assert_eq(pfn, 0, "stopped after %d instructions, the walk found frame %#lx", stop_at,
			     pfn);
		for (u32 frame = data; frame; frame = pfn_to_page(frame)->next)
			met += (u64)frame << PAGE_SHIFT == table;
		cr_assert_eq(frames_free_chain(data, data_nr, 0), 0);
	}
	cr_assert_gt(met, 20, "its frame was used again %lu times", met);
	check_machine();
}
