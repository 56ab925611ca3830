/* SPDX-License-Identifier: MIT */
/*
 * test_linux.c: Linux's test cases for vmalloc, by their names there, over the simulated machine. Every
 * allocated page is written and read; the machine is checked after each round.
 */
#include "sim.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#define ROUNDS 60

static u32 state = 17;

static u32 random_below(u32 bound)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % bound;
}

/* Writes the first and last page, as Linux does, and frees. */
static void touch(const void *memory, unsigned long size)
{
	unsigned long a = (unsigned long)memory, last = a + (size - 1) / PAGE_SIZE * PAGE_SIZE;
	u64 value;

	cr_assert_neq(a, 0);
	cr_assert(sim_write(a, a) && sim_write(last, last + 1) && sim_read(last, &value));
	cr_assert_eq(value, last + 1);
}

static void touch_and_free(const void *memory, unsigned long size)
{
	touch(memory, size);
	cr_assert(sim_guard_faults((unsigned long)memory, ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE));
	vfree(memory);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
}

static void fix_size_alloc_test(void)
{
	for (u32 i = 0; i < ROUNDS; i++)
		touch_and_free(vmalloc(3 * PAGE_SIZE), 3 * PAGE_SIZE);
}

static void random_size_alloc_test(void)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		unsigned long size = (1 + random_below(100)) * PAGE_SIZE;

		touch_and_free(vmalloc(size), size);
	}
}

/* Holes of one page everywhere, and allocations of one page and of more, which must skip them. */
static void long_busy_list_alloc_test(void)
{
	void *areas[600];

	for (u32 i = 0; i < ARRAY_SIZE(areas); i++)
		areas[i] = vmalloc(PAGE_SIZE);
	for (u32 i = 0; i < ARRAY_SIZE(areas); i += 2)
		vfree(areas[i]);
	for (u32 i = 0; i < ROUNDS; i++) {
		touch_and_free(vmalloc(100 * PAGE_SIZE), 100 * PAGE_SIZE);
		touch_and_free(vmalloc(PAGE_SIZE), PAGE_SIZE);
	}
	for (u32 i = 1; i < ARRAY_SIZE(areas); i += 2)
		vfree(areas[i]);
}

/* Holes of exactly the requested size. */
static void full_fit_alloc_test(void)
{
	void *kept[200], *holes[200];

	for (u32 i = 0; i < ARRAY_SIZE(kept); i++) {
		kept[i] = vmalloc(PAGE_SIZE);
		holes[i] = vmalloc(PAGE_SIZE);
	}
	for (u32 i = 0; i < ARRAY_SIZE(holes); i++)
		vfree(holes[i]);
	for (u32 i = 0; i < ROUNDS; i++)
		touch_and_free(vmalloc(PAGE_SIZE), PAGE_SIZE);
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		vfree(kept[i]);
}

/* Alignments of 2M, among areas of any size. */
static void random_size_align_alloc_test(void)
{
	for (u32 i = 0; i < ROUNDS / 6; i++) {
		unsigned long small = (1 + random_below(40)) * PAGE_SIZE;
		unsigned long size = (2ul << 20) + random_below(30) * PAGE_SIZE;
		void *first = vmalloc(small), *memory = vmalloc_huge(size, GFP_KERNEL);

		cr_assert_eq((unsigned long)memory % (2ul << 20), 0);
		touch_and_free(memory, size);
		touch_and_free(first, small);
	}
}

/* Objects of each CPU's cache, of many sizes, held together. */
static void pcpu_alloc_test(void)
{
	void *objects[200];

	for (u32 i = 0; i < ROUNDS / 6; i++) {
		for (u32 k = 0; k < ARRAY_SIZE(objects); k++) {
			objects[k] = kmalloc(1 + random_below(2048), GFP_KERNEL | __GFP_ZERO);
			cr_assert_not_null(objects[k]);
		}
		for (u32 k = 0; k < ARRAY_SIZE(objects); k++)
			kfree(objects[k]);
		cr_assert_eq(kmalloc_status(), KVMAP_OK);
	}
}

static void vm_map_ram_test(void)
{
	static struct page *pages[64];
	char *area = vmalloc(sizeof(pages) / sizeof(*pages) * PAGE_SIZE);

	for (u32 i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = vmalloc_to_page(area + i * PAGE_SIZE);
	for (u32 i = 0; i < ROUNDS; i++) {
		u32 nr = 1 + random_below(ARRAY_SIZE(pages));
		void *memory = vm_map_ram(pages, nr, NUMA_NO_NODE);

		touch(memory, nr * PAGE_SIZE);
		vm_unmap_ram(memory, nr);
		cr_assert_eq(vmalloc_status(), KVMAP_OK);
	}
	vm_unmap_aliases();
	vfree(area);
}

static void vrealloc_test(void)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		void *memory = NULL;
		u64 value;

		for (u32 k = 0; k < 4; k++) {
			unsigned long size = 1 + random_below(50 * PAGE_SIZE);

			memory = vrealloc(memory, size, GFP_KERNEL | __GFP_ZERO);
			cr_assert_not_null(memory);
			cr_assert(k == 0 || (sim_read((unsigned long)memory, &value) && value == i));
			touch(memory, size);
			cr_assert(sim_write((unsigned long)memory, i));
		}
		cr_assert_null(vrealloc(memory, 0, GFP_KERNEL));
	}
}

static void no_block_alloc_test(void)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		gfp_t gfp = i % 2 ? GFP_NOWAIT : GFP_ATOMIC;
		unsigned long size = (1 + random_below(20)) * PAGE_SIZE;

		touch_and_free(__vmalloc(size, gfp), size);
	}
}

static void (*const cases[])(void) = {
	fix_size_alloc_test,          random_size_alloc_test, long_busy_list_alloc_test, full_fit_alloc_test,
	random_size_align_alloc_test, pcpu_alloc_test,        vm_map_ram_test,           vrealloc_test,
	no_block_alloc_test,
};

struct run {
	u32 number, policy;
};

static struct run runs[ARRAY_SIZE(cases) * 3];

ParameterizedTestParameters(linux_cases, each_leaves_the_machine_whole_under_each_policy)
{
	for (u32 i = 0; i < ARRAY_SIZE(runs); i++)
		runs[i] = (struct run){ i / 3, i % 3 };
	return cr_make_param_array(struct run, runs, ARRAY_SIZE(runs));
}

ParameterizedTest(const struct run *run, linux_cases, each_leaves_the_machine_whole_under_each_policy)
{
	sim_boot(run->policy);
	for (u32 repeat = 0; repeat < 3; repeat++) {
		cases[run->number]();
		check_machine();
	}
	vmalloc_purge();
	check_machine();
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES), 0);
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 0);
}
