/* SPDX-License-Identifier: MIT */
/* V9 on several CPUs. A's range was unmapped at 1, flushed by CPU 0 at 2 and allocated at 10. */
#include "base/array.h"
#include "program/backtrace.h"
#include "world.h"

#include <criterion/criterion.h>

TestSuite(flush_cpus, .init = world_init, .fini = world_destroy);

static void many_cpus(unsigned int count)
{
	w.claims.cpu_count = count;
	area(A)->allocated = 10;
	for (unsigned int i = 0; i < 4; i++)
		page_of(*frame(A, i))->allocated = 10;
	w.claims.flushes.items[2].stamp = area(L)->unmapped = 20;
	w.claims.flush_generation = 20;
}

/* Inserts an entry before the last one of the log, which is L's unmapping. */
static void log_add_begun(uint32_t stamp, uint32_t cpu, uint32_t begun)
{
	struct claim_flush last = w.claims.flushes.items[w.claims.flushes.count - 1];
	struct claim_flush entry = { stamp, cpu, begun, 0, cpu & TLB_FLUSH_EVENT ? 0 : ~0ull };

	w.claims.flushes.items[w.claims.flushes.count - 1] = entry;
	cr_assert_eq(array_push(&w.claims.flushes, last), 0);
	w.claims.flush_count++;
}

static void log_add(uint32_t stamp, uint32_t cpu)
{
	log_add_begun(stamp, cpu, cpu & TLB_FLUSH_EVENT ? 0 : stamp - 1);
}

Test(flush_cpus, a_flush_that_began_before_the_unmapping_does_not_cover_it)
{
	many_cpus(2);
	log_add_begun(3, 1, 0);
	expect_findings("V9");
	log_add_begun(4, 1, 1);
	expect_findings("");
}

Test(flush_cpus, every_cpu_has_to_flush)
{
	many_cpus(4);
	log_add(3, 1);
	log_add(4, 3);
	expect_findings("V9");
	log_add(5, 2);
	expect_findings("");
}

Test(flush_cpus, a_cpu_that_flushes_after_the_reuse_is_too_late)
{
	many_cpus(2);
	log_add(11, 1);
	expect_findings("V9");
}

Test(flush_cpus, a_cpu_that_runs_and_is_not_claimed_has_to_flush)
{
	many_cpus(1);
	w.tables.view.cpu_count = 2;
	expect_findings("");
	w.tables.view.cpus[1].cr0 = 0x80000011;
	expect_findings("V9");
}

Test(flush_cpus, a_cpu_that_is_idle_and_will_flush_needs_no_flush)
{
	many_cpus(2);
	w.claims.cpu_states[1] = CPU_IDLE_STALE;
	expect_findings("");
}

Test(flush_cpus, an_idle_cpu_without_a_pending_flush_is_found)
{
	many_cpus(2);
	w.claims.cpu_states[1] = CPU_IDLE;
	expect_findings("V9");
}

Test(flush_cpus, a_cpu_that_went_idle_after_the_reuse_had_to_flush)
{
	many_cpus(2);
	log_add(11, TLB_FLUSH_IDLE | 1);
	w.claims.cpu_states[1] = CPU_IDLE_STALE;
	expect_findings("V9");
}

Test(flush_cpus, a_cpu_that_flushes_before_it_wakes_was_flushed_while_it_was_idle)
{
	many_cpus(2);
	log_add(5, TLB_FLUSH_IDLE | 1);
	log_add(12, 1);
	log_add(13, TLB_FLUSH_WAKE | 1);
	expect_findings("");
}

Test(flush_cpus, a_cpu_that_wakes_without_a_flush_is_found)
{
	many_cpus(2);
	log_add(5, TLB_FLUSH_IDLE | 1);
	log_add(13, TLB_FLUSH_WAKE | 1);
	expect_findings("V9");
	log_add(14, 1);
	expect_findings("V9");
}

Test(flush_cpus, a_cpu_that_has_woken_before_the_reuse_is_not_idle)
{
	many_cpus(2);
	log_add(5, TLB_FLUSH_IDLE | 1);
	log_add(6, TLB_FLUSH_WAKE | 1);
	log_add(14, TLB_FLUSH_IDLE | 1);
	w.claims.cpu_states[1] = CPU_IDLE_STALE;
	expect_findings("V9");
}

/* CPU 1 is idle by its state, with its RIP at rip. */
static void idle_at(uint64_t rip)
{
	many_cpus(2);
	w.claims.cpu_states[1] = CPU_IDLE_STALE;
	w.tables.view.cpus[1] = w.tables.view.cpus[0];
	w.tables.view.cpus[1].cr0 |= 0x80000000u;
	w.tables.view.cpus[1].rip = rip;
	w.tables.view.cpu_count = 2;
	stack = (struct backtrace){ .frames = { { rip, 0, true } }, .count = 1 };
}

Test(flush_cpus, an_idle_cpu_is_in_the_code_of_idle_cpus)
{
	idle_at(IDLE_TEXT + 8);
	expect_findings("");
	idle_at(IDLE_TEXT_END);
	expect_findings("V9");
	cr_expect_eq(w.verdict.results[9].findings, 1);
	w.claims.cpu_states[1] = CPU_RUNNING;
	log_add(3, 1);
	expect_findings("");
}

Test(flush_cpus, an_idle_cpu_may_be_in_a_callee_of_that_code_or_in_an_interrupt)
{
	idle_at(IDLE_TEXT - 0x100);
	stack.frames[stack.count++] = (struct backtrace_frame){ .pc = IDLE_TEXT_END, .exact = false };
	expect_findings("");
	stack.frames[1].exact = true;
	expect_findings("V9");
	stack.frames[1].pc = IDLE_TEXT;
	expect_findings("");
}
