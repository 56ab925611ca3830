/* SPDX-License-Identifier: MIT */
/* V13: the counters of the guest; damaged structures. */
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(counters, .init = world_init, .fini = world_destroy);

Test(counters, each_counter_that_is_off_by_one_is_found)
{
	uint64_t *const counters[] = {
		&w.claims.vm_stat[0],
		&w.claims.vm_stat[1],
		&w.claims.vm_stat[2],
		&w.claims.vm_stat[3],
		&w.claims.vm_stat[4],
		&w.claims.vm_stat[5],
		&w.claims.vm_stat[NR_KMALLOC_PAGES],
		&w.claims.zones[0].free_pages,
		&w.claims.zones[1].nr_free[2],
		&w.claims.stats.allocations,
		&w.claims.stats.areas_purged,
		&w.claims.unpurged,
		&w.claims.stats.pages_mapped,
		&w.claims.stats.pages_unmapped,
		&w.claims.caches[0].free_objects,
	};

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		++*counters[i];
		expect_findings("V13");
		cr_expect_eq(w.verdict.results[13].findings, 1, "counter %zu", i);
		--*counters[i];
	}
	w.claims.stats.frees++;
	expect_findings("V13");
	cr_expect_eq(w.verdict.results[13].findings, 2,
		     "frees are compared with allocations and with purges");
	w.claims.stats.frees--;
	expect_findings("");
}

Test(counters, a_damaged_structure_is_a_finding_of_its_invariant)
{
	struct claim_damage damage = { "V8", 0xffff888000100000, 0x1234,
				       "vmap_area_root: link does not point to a vmap_area" };

	w.claims.damages.items = &damage;
	w.claims.damages.count = 1;
	expect_findings("V8");
	cr_expect_not_null(strstr(w.verdict.findings.items[0].found, "link does not point to a vmap_area"));
	w.claims.damages.items = NULL;
	w.claims.damages.count = 0;
}

Test(counters, the_number_of_free_blocks_of_each_order_counts)
{
	for (uint32_t order = 0; order <= MAX_ORDER; order++) {
		w.claims.zones[1].nr_free[order]++;
		expect_findings("V13");
		cr_expect_eq(w.verdict.results[13].findings, 1, "order %u", order);
		w.claims.zones[1].nr_free[order]--;
	}
}
