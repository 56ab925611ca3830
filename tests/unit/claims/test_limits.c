/* SPDX-License-Identifier: MIT */
/* A value at its limit is read without damage, and one beyond it is a damage. */
#include "damage.h"
#include "arch/x86_64/percpu.h"
#include "claims/layout.h"
#include "no_memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(limits, .init = damage_begin, .fini = damage_end);

/* ---- numbers of elements ---- */

Test(limits, of_counts)
{
	uint32_t *nr_caches = world_root(&world, "nr_kmem_caches", uint32_t);
	uint32_t *zone_count = world_root(&world, "nr_zones", uint32_t);
	uint32_t *nodes = world_root(&world, "nr_nodes", uint32_t);
	uint32_t *cpu_count = world_root(&world, "arch_nr_cpus", uint32_t);
	uint32_t *variables = world_root(&world, "agent_nr_variables", uint32_t);
	struct memblock *regions = world_root(&world, "memblock", struct memblock);

	*nr_caches = KVMAP_KMEM_CACHES_MAX - 1;
	*zone_count = KVMAP_ZONES_MAX;
	*nodes = KVMAP_NODES_MAX;
	*cpu_count = KVMAP_CPUS_MAX;
	*variables = KVMAP_VARIABLES_MAX;
	regions->nr_memory = regions->nr_reserved = KVMAP_MEMBLOCK_REGIONS_MAX;
	expect_no_damage();
	cr_expect_eq(claims.zone_count, KVMAP_ZONES_MAX);
	cr_expect_eq(claims.numa_node_count, KVMAP_NODES_MAX);
	cr_expect_eq(claims.cpu_count, KVMAP_CPUS_MAX);
	cr_expect_eq(claims.variables.count, KVMAP_VARIABLES_MAX);
	++*nr_caches;
	++*zone_count;
	++*nodes;
	++*cpu_count;
	++*variables;
	regions->nr_memory++;
	regions->nr_reserved++;
	read_again();
	EXPECT_DAMAGES(
		&claims,
		{ "V4", ROOT("memblock"), KVMAP_MEMBLOCK_REGIONS_MAX + 1,
		  "memblock.memory: more regions than fit into the array" },
		{ "V4", ROOT("memblock"), KVMAP_MEMBLOCK_REGIONS_MAX + 1,
		  "memblock.reserved: more regions than fit into the array" },
		{ "V4", ROOT("nr_nodes"), KVMAP_NODES_MAX + 1, "nr_nodes: not 1 to 8" },
		{ "V4", ROOT("nr_zones"), KVMAP_ZONES_MAX + 1, "nr_zones: more than fit into the array" },
		{ "V4", ROOT("nr_kmem_caches"), KVMAP_KMEM_CACHES_MAX,
		  "nr_kmem_caches: more than fit into the array" },
		{ "V9", ROOT("arch_nr_cpus"), KVMAP_CPUS_MAX + 1,
		  "arch_nr_cpus: none, or more than fit into the array" },
		{ "V12", ROOT("agent_nr_variables"), KVMAP_VARIABLES_MAX + 1,
		  "agent_nr_variables: more than fit into the array" });
	cr_expect_eq(claims.zone_count, KVMAP_ZONES_MAX);
	cr_expect_eq(claims.numa_node_count, 1);
	cr_expect_eq(claims.cpu_count, 1);
	cr_expect_eq(claims.variables.count, KVMAP_VARIABLES_MAX);
	cr_expect_eq(claims.cache_count, 2);
}

Test(limits, of_counts_that_may_not_be_zero)
{
	*world_root(&world, "nr_nodes", uint32_t) = 0;
	*world_root(&world, "arch_nr_cpus", uint32_t) = 0;
	read_again();
	EXPECT_DAMAGES(
		&claims, { "V4", ROOT("nr_nodes"), 0, "nr_nodes: not 1 to 8" },
		{ "V9", ROOT("arch_nr_cpus"), 0, "arch_nr_cpus: none, or more than fit into the array" });
	cr_expect_eq(claims.cpu_count, 1);
}

/* The root lies where nothing is mapped. */
Test(limits, of_the_image_are_where_a_root_is_not_mapped)
{
	static const struct {
		enum claim_root root;
		struct expected_damage damage;
	} cases[] = {
		{ ROOT_memblock, { "V4", NOWHERE, 0, "memblock: not mapped" } },
		{ ROOT_max_pfn, { "V4", NOWHERE, 0, "max_pfn: not mapped" } },
		{ ROOT_nr_nodes, { "V4", NOWHERE, 0, "nr_nodes: not mapped" } },
		{ ROOT_nr_zones, { "V4", NOWHERE, 0, "nr_zones: not mapped" } },
		{ ROOT_zones, { "V4", NOWHERE, 0, "zones[0]: not mapped" } },
		{ ROOT_vmap_area_root, { "V8", NOWHERE, 0, "vmap_area_root: not mapped" } },
		{ ROOT_free_vmap_area_root, { "V8", NOWHERE, 0, "free_vmap_area_root: not mapped" } },
		{ ROOT_vmap_highest, { "V8", NOWHERE, 0, "vmap_highest: not mapped" } },
		{ ROOT_held_pages, { "V4", NOWHERE, 0, "held_pages: not mapped" } },
		{ ROOT_nr_kmem_caches, { "V4", NOWHERE, 0, "nr_kmem_caches: not mapped" } },
		{ ROOT_kmem_caches, { "V4", NOWHERE, 1, "kmem_caches[1]: not mapped" } },
		{ ROOT_kmem_caches, { "V4", NOWHERE, 3, "kmem_caches[3]: not mapped" } },
		{ ROOT_cpu_caches, { "V8", NOWHERE, NOWHERE, "cpu_caches: not mapped" } },
		{ ROOT_cpu_caches, { "V4", NOWHERE, NOWHERE, "cpu_caches: not mapped" } },
		{ ROOT_arch_nr_cpus, { "V9", NOWHERE, 0, "arch_nr_cpus: not mapped" } },
		{ ROOT_cpus, { "V9", NOWHERE, 0, "cpus: not mapped" } },
		{ ROOT_tlb_stats, { "V9", NOWHERE, 0, "tlb_stats: not mapped" } },
		{ ROOT_tlb_gen, { "V9", NOWHERE, 0, "tlb_gen: not mapped" } },
		{ ROOT_vmalloc_policy, { "V9", NOWHERE, 0, "vmalloc_policy: not mapped" } },
		{ ROOT_agent_nr_variables, { "V12", NOWHERE, 0, "agent_nr_variables: not mapped" } },
		{ ROOT_agent_variables, { "V12", NOWHERE, 0, "agent_variables: not mapped" } },
		{ ROOT_agent_inside, { "V12", NOWHERE, 0, "agent_inside: not mapped" } },
		{ ROOT_agent_opcode, { "V12", NOWHERE, 0, "agent_opcode: not mapped" } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct claim_root_location *root = &world.layout->roots[cases[i].root], kept = *root;
		const struct expected_damage *expected = &cases[i].damage;
		bool found = false;

		root->gva = NOWHERE;
		read_again();
		for (size_t j = 0; j < claims.damages.count; j++) {
			const struct claim_damage *damage = &claims.damages.items[j];

			found |= !strcmp(damage->what, expected->what) &&
				 !strcmp(damage->invariant, expected->invariant) &&
				 damage->address == expected->address && damage->value == expected->value;
		}
		cr_expect(found, "no %s \"%s\"", expected->invariant, expected->what);
		*root = kept;
	}
}

Test(limits, of_an_image_that_ends_in_the_middle_of_an_array)
{
	*world_root(&world, "arch_nr_cpus", uint32_t) = 3;
	world.layout->roots[ROOT_cpus].gva = NOWHERE - 2 * sizeof(struct cpu);
	world.layout->roots[ROOT_agent_inside].gva = NOWHERE - 8;
	memset(world.memory + WORLD_SIZE - 8, 0x11, 8);
	read_again();
	EXPECT_DAMAGES(&claims, { "V9", NOWHERE, 2, "cpus: not mapped" },
		       { "V12", NOWHERE - 8, 0, "agent_inside: not mapped" });
	cr_expect_eq(claims.cpu_count, 3);
	for (unsigned int i = 0; i < KVMAP_CPUS_MAX; i++)
		cr_expect_eq(claims.inside[i], 0, "nothing of an array that is read in part");
}

/* ---- frames ---- */

Test(limits, of_pfns)
{
	world_page(&world, 0x741)->next = WORLD_FRAMES - 1;
	expect_no_damage();
	cr_expect_eq(claims.held.frame_count, 3);
	world_page(&world, 0x741)->next = WORLD_FRAMES;
	expect_only("V4", ROOT("held_pages"), WORLD_FRAMES, "held_pages: chain has a frame beyond RAM");
	cr_expect_eq(claims.held.frame_count, 2);
	world_page(&world, 0x741)->next = 0;
	world_page(&world, 0x703)->next = WORLD_FRAMES - 1;
	world_page(&world, WORLD_FRAMES - 1)->prev = 0x703;
	expect_no_damage();
	cr_expect_eq(claims.free_buddy_blocks.count, 4);
	world_page(&world, 0x703)->next = WORLD_FRAMES;
	expect_only("V4", ROOT("zones"), WORLD_FRAMES,
		    "zones[0].free_area[0]: list points beyond RAM, or has more frames than RAM");
	world_page(&world, 0x703)->next = 0;
	*world_root(&world, "max_pfn", uint64_t) = WORLD_FRAMES + 1;
	expect_only("V4", ROOT("max_pfn"), WORLD_FRAMES + 1, "max_pfn: beyond RAM, which ends at frame 4096");
}

Test(limits, of_the_frames_of_a_zone)
{
	static const char *const names[] = { "start_pfn", "fresh_start", "fresh_end", "end_pfn" };
	struct zone *zone = world_root(&world, "zones", struct zone);
	uint32_t *pfns[] = { &zone->start_pfn, &zone->fresh_start, &zone->fresh_end, &zone->end_pfn };

	for (unsigned int i = 1; i < 4; i++) {
		char text[80];

		for (unsigned int j = 0; j < 4; j++)
			*pfns[j] = 0x900;
		expect_no_damage();
		*pfns[i] = 0x8ff;
		snprintf(text, sizeof(text), "zones[0].%s: out of order or beyond RAM", names[i]);
		expect_only("V4", ROOT("zones"), 0x8ff, text);
		cr_expect_eq(claims.zones[0].end_pfn, 0x900);
	}
	*pfns[3] = WORLD_FRAMES;
	expect_no_damage();
	*pfns[3] = WORLD_FRAMES + 1;
	expect_only("V4", ROOT("zones"), WORLD_FRAMES + 1, "zones[0].end_pfn: out of order or beyond RAM");
	cr_expect_eq(claims.zones[0].end_pfn, WORLD_FRAMES);
}

/* All orders have one list: together more buddy blocks than RAM has frames. */
Test(limits, of_all_free_lists_together)
{
	struct zone *zone = world_root(&world, "zones", struct zone);

	for (uint32_t pfn = 0x100; pfn < 0x500; pfn++) {
		world_page(&world, pfn)->prev = pfn == 0x100 ? 0 : pfn - 1;
		world_page(&world, pfn)->next = pfn == 0x4ff ? 0 : pfn + 1;
	}
	for (unsigned int order = 0; order < 4; order++)
		zone->free_area[order].first = 0x100;
	expect_no_damage();
	cr_expect_eq(claims.free_buddy_blocks.count, WORLD_FRAMES);
	zone->free_area[4].first = 0x701;
	expect_only("V4", ROOT("zones"), 0x701,
		    "zones[0].free_area[4]: list points beyond RAM, or has more frames than RAM");
}

Test(limits, of_a_buddy_block_in_a_chain)
{
	world_vm(&world, RANGE_C)->nr_pages = 1026;
	world_page(&world, 0x730)->order = MAX_ORDER;
	expect_only("V1", VM(RANGE_C), 3, "vm_struct.pages: chain ends before its 1026 frames");
	world_vm(&world, RANGE_C)->flags |= VM_HUGE;
	expect_no_damage();
	cr_expect_eq(claims.areas.items[2].frame_count, 1026);
	world_page(&world, 0x730)->order = MAX_ORDER + 1;
	expect_only("V1", VM(RANGE_C), 0x730,
		    "vm_struct.pages: a buddy block of order 11, which is impossible");
	cr_expect_eq(claims.areas.items[2].frame_count, 1);
}

/* A chain of which the frame at the last power of two is met again. */
Test(limits, of_cycles_are_powers_of_two)
{
	struct vmap_area *nodes = (struct vmap_area *)(world.memory + 0xe00000);

	for (uint32_t i = 0; i < 20; i++) {
		*world_page(&world, 0x900 + i) = (struct page){ .next = 0x900 + i + 1 };
		nodes[i] = *world_range(&world, RANGE_D);
		nodes[i].next = world_va(0xe00000 + (i + 1) * sizeof(*nodes));
	}
	world_page(&world, 0x900 + 19)->next = 0x900 + 5;
	nodes[19].next = world_va(0xe00000 + 5 * sizeof(*nodes));
	*world_root(&world, "held_pages", uint32_t) = 0x900;
	world_cpu(&world, 5)->lazy.purge_list = world_va(0xe00000);
	read_again();
	/* 15 elements are in the cycle, and the 16th of all is in it: it is met again after 15 more. */
	EXPECT_DAMAGES(&claims, { "V4", ROOT("held_pages"), 0x90f, "held_pages: chain has a cycle" },
		       { "V8", LAZY(5), DIRECT(0xe00000 + 15 * sizeof(*nodes)),
			 "vmap_lazy.purge_list: has a cycle" });
	cr_expect_eq(claims.held.frame_count, 30);
	cr_expect_eq(claims.areas.count, 3 + 30);
}

/* ---- memory of the host ---- */

Test(limits, of_the_hosts_memory_are_an_error)
{
	struct claims unused = { 0 };
	struct error error;
	unsigned int n = 0;
	int result;

	world_vmap_block(&world, RANGE_A);
	world_range(&world, RANGE_B)->state = VMAP_DEFERRED;
	world_cpu(&world, 2)->lazy.deferred = (void *)RANGE(B);
	*world_root(&world, "nr_nodes", uint32_t) = 0;
	do {
		no_memory_at(++n);
		result = claims_read(&world.view, &world.mode, world.layout, &unused, &error);
		cr_assert_eq(result, no_memory_failed() ? -1 : 0, "allocation %u", n);
		if (result < 0) {
			cr_expect(error.kind == ERROR_HOST && !error.errnum && !error.address);
			cr_expect_str_eq(error.text, "out of memory for the guest's claims");
			cr_expect_eq(unused.areas.count, 0);
		}
	} while (result < 0);
	cr_expect_gt(n, 11, "each array");
	claims_destroy(&unused);
	cr_expect(!unused.areas.items && !unused.areas.count && !unused.damages.items);
}

Test(limits, of_the_image_are_where_mem_map_itself_is_not_mapped)
{
	struct error error;
	char text[200];

	world.layout->roots[ROOT_mem_map].gva = NOWHERE;
	snprintf(text, sizeof(text),
		 "the guest's image is not mapped (0x%llx, `mem_map`): it has not booted, or this is not its "
		 "program",
		 (unsigned long long)NOWHERE);
	cr_assert_eq(claims_read(&world.view, &world.mode, world.layout, &claims, &error), -1);
	cr_expect_str_eq(error.text, text);
	cr_expect(error.kind == ERROR_GUEST && !error.errnum && error.address == NOWHERE);
}
