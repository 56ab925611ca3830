/* SPDX-License-Identifier: MIT */
/*
 * test_random.c: random operations in little memory; every few hundred of them all claims are checked.
 */
#include "../../rbtree_walk.h"
#include "sim.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#define SLOTS       200
#define OPERATIONS  200000
#define CHECK_EVERY 500

struct run {
	u32 policy;
	u64 seed;
};

static struct run runs[] = {
	{ KVMAP_POLICY_STRICT, 1 }, { KVMAP_POLICY_STRICT, 2 }, { KVMAP_POLICY_STRICT, 3 },
	{ KVMAP_POLICY_LAZY, 4 },   { KVMAP_POLICY_EAGER, 5 },
};

struct slot {
	unsigned long addr; /* 0: never used */
	unsigned long pages;
	u64 stamp;
	bool live;
};

static struct slot slots[SLOTS];
static u64 state, stamps;

static u64 pick(u64 below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (state >> 33) % below;
}

static unsigned long pick_pages(void)
{
	switch (pick(50)) {
	case 0: return 1 + pick(3000);
	case 1:
	case 2: return 1 + pick(600);
	default: return 1 + pick(1ul << pick(6));
	}
}

static u64 contents(const struct slot *slot, unsigned long page)
{
	return slot->stamp * 1000003 + page;
}

static void check_contents(const struct slot *slot)
{
	for (unsigned long i = 0; i < slot->pages; i++) {
		u64 value = 0;

		cr_assert(sim_read(slot->addr + i * PAGE_SIZE, &value), "page %lu of %#lx faults", i,
			  slot->addr);
		cr_assert_eq(value, contents(slot, i), "page %lu of %#lx has another area's contents", i,
			     slot->addr);
	}
}

static void allocate(struct slot *slot)
{
	bool zero = pick(3) == 0;

	slot->pages = pick_pages();
	slot->addr = (unsigned long)(zero ? vzalloc(slot->pages * PAGE_SIZE - pick(PAGE_SIZE))
					  : vmalloc(slot->pages * PAGE_SIZE - pick(PAGE_SIZE)));
	slot->live = slot->addr;
	slot->stamp = ++stamps;
	if (!slot->live) {
		cr_assert(vmalloc_status() == KVMAP_REFUSED_NO_MEMORY ||
			  vmalloc_status() == KVMAP_REFUSED_TOO_LARGE);
		return;
	}
	for (unsigned long i = 0; i < slot->pages; i++) {
		u64 value = 0;

		cr_assert(sim_read(slot->addr + i * PAGE_SIZE + 8 * pick(512), &value));
		cr_assert(!zero || value == 0, "vzalloc gave %#lx", value);
		cr_assert(sim_write(slot->addr + i * PAGE_SIZE, contents(slot, i)));
	}
}

static void release(struct slot *slot)
{
	check_contents(slot);
	vfree((void *)slot->addr);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	slot->live = false;
}

static bool is_live(unsigned long addr)
{
	for (int i = 0; i < SLOTS; i++)
		if (slots[i].live && addr - slots[i].addr < slots[i].pages * PAGE_SIZE + KVMAP_GUARD_SIZE)
			return true;
	return false;
}

/* Code that uses freed memory continues to write to it. */
static void use_after_free(const struct slot *slot)
{
	unsigned long addr;

	if (!slot->addr || vmalloc_policy == KVMAP_POLICY_LAZY)
		return;
	addr = slot->addr + pick(slot->pages) * PAGE_SIZE;
	if (!is_live(addr))
		sim_write(addr, 0xdeadbeef);
}

static void free_wrongly(const struct slot *slot)
{
	u64 refused = stats().refused;
	unsigned long addr;

	if (slot->live)
		addr = slot->addr + 1 + pick(slot->pages * PAGE_SIZE);
	else if (slot->addr && !is_live(slot->addr))
		addr = slot->addr;
	else
		return;
	vfree((void *)addr);
	cr_assert_eq(stats().refused, refused + 1, "%#lx was freed", addr);
}

static void step(void)
{
	struct slot *slot = &slots[pick(SLOTS)];

	switch (pick(64)) {
	case 0: vmalloc_purge(); break;
	case 1: frames_fragment((unsigned int)pick(3), pick(200) * PAGE_SIZE, pick(1000)); break;
	case 2: free_wrongly(slot); break;
	case 3:
	case 4: slot->live ? check_contents(slot) : use_after_free(slot); break;
	default: slot->live ? release(slot) : allocate(slot); break;
	}
}

ParameterizedTestParameters(random, sequences_keep_every_claim_true_and_lose_nothing)
{
	return cr_make_param_array(struct run, runs, ARRAY_SIZE(runs));
}

ParameterizedTest(const struct run *run, random, sequences_keep_every_claim_true_and_lose_nothing)
{
	u64 total;

	sim_boot(run->policy);
	pcp_drain();
	total = vm_stat_sum(NR_FREE_PAGES) + vm_stat_sum(NR_SLAB_PAGES);
	state = run->seed;
	for (u64 i = 1; i <= OPERATIONS; i++) {
		step();
		if (i % CHECK_EVERY == 0)
			check_machine();
		if (vm_stat_sum(NR_HELD_PAGES) > 800)
			sim_release_held();
	}
	cr_assert_gt(stats().refused, 100, "memory was never out");

	for (int i = 0; i < SLOTS; i++)
		if (slots[i].live)
			release(&slots[i]);
	vmalloc_purge();
	sim_release_held();
	check_machine();
	cr_assert_eq(vm_stat_sum(NR_FREE_PAGES) + vm_stat_sum(NR_SLAB_PAGES) +
			     vm_stat_sum(NR_PAGETABLE_PAGES),
		     total);
	cr_assert_null(vmap_area_root.rb_node);
	cr_assert_eq(container_of(rb_first(&free_vmap_area_root), struct vmap_area, rb_node)->va_end,
		     KVMAP_VMALLOC_END, "the space is one free range again");
}
