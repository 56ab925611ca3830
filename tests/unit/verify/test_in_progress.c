/* SPDX-License-Identifier: MIT */
/* A guest that died in an operation: rules that need not hold in it have no findings, all others have. */
#include "kvmap/operation.h"
#include "world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define LEAF (PTE_W | PTE_A | PTE_D | PTE_G | PTE_NX)

TestSuite(in_progress, .init = world_init, .fini = world_destroy);

static void die_in(unsigned int cpu, uint32_t opcode, uint32_t line)
{
	w.input.died = true;
	w.claims.inside[cpu] = line;
	w.claims.opcode[cpu] = opcode;
}

/* A counter that is off (V13), a mapped guard (V3), and user access to rodata (V7). */
static void damage(void)
{
	w.claims.vm_stat[NR_HELD_PAGES]++;
	tables_map(&w.tables, AREA_B + 2 * K4, LOW_GPA, 1, LEAF);
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + RODATA, 1) |= PTE_U;
}

Test(in_progress, a_guest_that_did_not_die_has_all_findings)
{
	damage();
	die_in(0, KVMAP_OP_VMALLOC, 3);
	w.input.died = false;
	expect_findings("V3 V7 V13");
}

Test(in_progress, a_guest_that_died_between_operations_has_all_findings)
{
	damage();
	die_in(0, KVMAP_OP_VMALLOC, 0);
	expect_findings("V3 V7 V13");
	die_in(0, KVMAP_OP_BUG, 3);
	expect_findings("V3 V7 V13");
	die_in(0, KVMAP_OP_CRASH, 3); /* which maps a page without memory */
	expect_findings("V3 V13");
}

Test(in_progress, rules_that_need_not_hold_in_the_operation_are_not_seen)
{
	damage();
	die_in(2, KVMAP_OP_VFREE, 3);
	expect_findings("V7");
	cr_expect_eq(w.verdict.finding_count, 1);
	cr_expect_eq(w.verdict.results[13].seen, NOT_SEEN);
	cr_expect_str_eq(w.verdict.results[13].why_not,
			 "CPU 2 was in `vfree` (line 3), in which it need not hold");
	cr_expect_eq(w.verdict.results[3].seen, NOT_SEEN);
	cr_expect_eq(w.verdict.results[8].seen, SEEN, "it holds all the same");
	die_in(2, KVMAP_OP_KFREE, 3);
	expect_findings("V3 V7");
	die_in(2, KVMAP_OP_SET_MEMORY_RO, 3);
	expect_findings("V3 V7 V13");
	die_in(2, 9999, 3);
	expect_findings("");
	cr_expect_not_null(strstr(w.verdict.results[7].why_not, "an unknown operation"));
}

Test(in_progress, each_cpu_is_in_an_operation_of_its_own)
{
	damage();
	die_in(1, KVMAP_OP_KFREE, 4);
	die_in(3, KVMAP_OP_FILL, 5);
	expect_findings("V3 V7");
}

Test(in_progress, a_boot_may_break_any)
{
	damage();
	die_in(0, 0, KVMAP_INSIDE_BOOT);
	expect_findings("");
	cr_expect_eq(w.verdict.finding_count, 0);
	cr_expect_eq(w.verdict.findings.count, 0);
	cr_expect_str_eq(w.verdict.results[3].why_not,
			 "the guest was in its boot, in which it need not hold");
}

Test(in_progress, areas_have_no_marks_of_findings_that_were_dropped)
{
	uint32_t marks[4] = { 0 };

	damage();
	w.input.area_findings = marks;
	expect_findings("V3 V7 V13");
	cr_expect_eq(marks[B], 1u << 3);
	memset(marks, 0, sizeof(marks));
	die_in(0, KVMAP_OP_VFREE, 3);
	expect_findings("V7");
	cr_expect_eq(marks[B], 0);
}

/* Further claims of one finding, too. */
Test(in_progress, findings_of_other_invariants_keep_their_further_claims)
{
	page_of(*frame(A, 0))->owner = PAGE_SLAB;
	page_of(*frame(A, 0))->vaddr = 0;
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + TEXT, 1) |= PTE_W;
	w.claims.free_buddy_blocks.items[2].pfn = *frame(A, 0);
	die_in(0, KVMAP_OP_VFREE, 3);
	expect_findings("V7");
	cr_expect_gt(w.verdict.further.count, 0);
	for (size_t i = 0; i < w.verdict.further.count; i++) {
		cr_expect_eq(w.verdict.further.items[i].invariant, 7);
		cr_expect_eq(w.verdict.further.items[i].of, 0);
	}
}
