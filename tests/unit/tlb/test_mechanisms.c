/* SPDX-License-Identifier: MIT */
/*
 * test_mechanisms.c: ways in which kernels have missed a flush, each as a stream with the bug and without it; and which of
 * them the rule without accesses (remapped) can see. The guest is strict, as one that lives in ring 0: what is removed is over
 * at once.
 */
#include "world.h"

#include <criterion/criterion.h>

#define KEEPS X86_BIT(63)

static struct world world;

static uint64_t pte(uint64_t va)
{
	return world_entry(&world, world.root, va, 1);
}

static void set(unsigned int cpu, uint64_t gpa, uint64_t value)
{
	world_store(&world, cpu, 1 + cpu, gpa, value);
}

static void flush(unsigned int cpu, uint64_t va)
{
	FEED(&world, INVLPG, .cpu = (uint16_t)cpu, .address = va);
}

static void use(unsigned int cpu, uint64_t va, unsigned int flags)
{
	FEED(&world, ACCESS, .cpu = (uint16_t)cpu, .address = va, .flags = (uint8_t)flags);
}

static void boot(uint64_t va, unsigned int level, uint64_t flags, uint64_t cr4)
{
	world_init(&world);
	world.config.strict = true;
	world.config.rules = tlb_profile_rules('A');
	world_map(&world, va, FRAME(1), level, flags);
	world_boot(&world, cr4);
}

/* ---- the mechanisms ---- */

/* A PDE is cleared and its table freed without a flush; a new table comes there. */
static void new_table(bool bug)
{
	uint64_t above, table;

	boot(KERNEL, 1, RW, 0);
	above = world_entry(&world, world.root, KERNEL, 2);
	table = world_table(&world);
	set(0, above, 0);
	for (unsigned int cpu = 0; cpu < 2 && !bug; cpu++)
		flush(cpu, KERNEL);
	world.memory[table / PAGE_4K][0] = FRAME(2) | RW;
	set(0, above, table | RW);
	use(1, KERNEL, 0);
}

/* Frames are freed before all CPUs have flushed: another CPU still writes through the old translation. */
static void freed_early(bool bug)
{
	boot(USER, 1, RWU, 0);
	set(0, pte(USER), 0);
	flush(0, USER);
	if (!bug)
		flush(1, USER);
	use(1, USER, TLB_ACCESS_USER | TLB_ACCESS_WRITE);
	flush(1, USER);
}

/* A shared page is freed without a flush. */
static void freed_shared(bool bug)
{
	uint64_t other;

	boot(USER, 1, RWU, 0);
	other = world_entry(&world, world.root, USER + PAGE_2M, 1);
	set(0, other, FRAME(1) | RWU);
	set(0, pte(USER), 0);
	set(0, other, 0);
	flush(1, USER);
	if (!bug)
		flush(1, USER + PAGE_2M);
	use(1, USER + PAGE_2M, TLB_ACCESS_USER);
}

/* An empty table is returned after a flush of leaves that went before: the pointer to it is still held. */
static void empty_table(bool bug)
{
	uint64_t table;

	boot(KERNEL, 1, RW, 0);
	table = pte(KERNEL) & PTE_ADDRESS;
	set(0, pte(KERNEL), 0);
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		flush(cpu, KERNEL);
	set(0, world_entry(&world, world.root, KERNEL, 2), 0);
	for (unsigned int cpu = 0; cpu < 2 && !bug; cpu++)
		flush(cpu, KERNEL);
	FEED(&world, STORE, .address = table + 8, .value = 0x1234);
}

/* An unmapping flushes the local CPU alone. */
static void local_only(bool bug)
{
	boot(KERNEL, 1, RW, 0);
	set(0, pte(KERNEL), 0);
	flush(0, KERNEL);
	if (!bug)
		flush(1, KERNEL);
	set(0, pte(KERNEL), FRAME(2) | RW);
	use(1, KERNEL, 0);
}

/* An address is used again by another CPU after a local flush. */
static void other_cpu(bool bug)
{
	boot(KERNEL, 1, RW, 0);
	set(0, pte(KERNEL), 0);
	flush(0, KERNEL);
	if (!bug)
		flush(1, KERNEL);
	set(1, pte(KERNEL), FRAME(2) | RW);
	use(1, KERNEL, TLB_ACCESS_WRITE);
}

/* Whether an entry was present is read after it was cleared, so that no flush is done at all. */
static void read_too_late(bool bug)
{
	boot(KERNEL, 1, RW, 0);
	set(0, pte(KERNEL), 0);
	for (unsigned int cpu = 0; cpu < 2 && !bug; cpu++)
		flush(cpu, KERNEL);
	set(0, pte(KERNEL), FRAME(2) | RW);
	use(0, KERNEL, 0);
}

/* CPU 1 maps an address while CPU 0's flush of it is pending on CPU 1. */
static void mapped_while_pending(bool bug)
{
	boot(KERNEL, 1, RW, 0);
	set(0, pte(KERNEL), 0);
	flush(0, KERNEL);
	if (!bug)
		flush(1, KERNEL);
	set(1, pte(KERNEL), FRAME(2) | RW);
	use(1, KERNEL, 0);
	flush(1, KERNEL);
}

/* A page is copied on write; the read-only translation of the old one stays on another CPU. */
static void copied_page(bool bug)
{
	boot(USER, 1, PTE_P | PTE_U, 0);
	set(0, pte(USER), FRAME(2) | RWU);
	flush(0, USER);
	if (!bug)
		flush(1, USER);
	use(1, USER, TLB_ACCESS_USER);
}

/* The flush comes after the table lock was dropped; the frame was freed meanwhile. */
static void after_the_lock(bool bug)
{
	boot(USER, 1, RWU, 0);
	set(0, pte(USER), 0);
	if (bug)
		use(1, USER, TLB_ACCESS_USER);
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		flush(cpu, USER);
	use(1, USER, TLB_ACCESS_USER);
}

/* 4K pages become a 2M page, without a flush of each; later INVLPG of its first address alone. */
static void promoted(bool bug)
{
	uint64_t small, above;

	boot(KERNEL, 2, RW, 0);
	above = world_entry(&world, world.root, KERNEL, 2);
	small = world_table(&world);
	for (unsigned int i = 0; i < 512; i++)
		world.memory[small / PAGE_4K][i] = (FRAME(1) + i * PAGE_4K) | RW;
	set(0, above, small | RW);
	FEED(&world, CR3, .cpu = 1, .value = world.root);
	set(0, above, FRAME(1) | RW | PTE_PS);
	if (!bug)
		FEED(&world, FLUSH_RANGE, .cpu = 1, .address = KERNEL, .value = KERNEL + PAGE_2M);
	set(0, above, 0);
	flush(1, KERNEL);
	FEED(&world, CR3, .cpu = 0, .value = world.root);
	set(0, above, FRAME(2) | RW | PTE_PS);
	use(1, KERNEL + 7 * PAGE_4K, 0);
}

/* The mask of PCIDs to flush lacks one. */
static void wrong_pcid(bool bug)
{
	boot(USER, 1, RWU, CR4_PCIDE);
	FEED(&world, CR3, .cpu = 1, .value = world.root | 1);
	FEED(&world, CR3, .cpu = 1, .value = world.root | 2);
	set(0, pte(USER), 0);
	FEED(&world, INVPCID, .cpu = 1, .flags = TLB_INVPCID_SINGLE, .value = 2);
	FEED(&world, INVPCID, .cpu = 1, .flags = TLB_INVPCID_SINGLE, .value = bug ? 3 : 1);
	FEED(&world, CR3, .cpu = 1, .value = world.root | 1 | KEEPS);
	use(1, USER, TLB_ACCESS_USER);
}

/* mprotect() returns before the others have flushed. */
static void protected_late(bool bug)
{
	boot(USER, 1, RWU, 0);
	set(0, pte(USER), FRAME(1) | PTE_P | PTE_U);
	flush(0, USER);
	if (!bug)
		flush(1, USER);
	use(1, USER, TLB_ACCESS_USER | TLB_ACCESS_WRITE);
}

static const struct mechanism {
	const char *what;
	void (*run)(bool bug);
	enum tlb_rule rule;    /* with accesses */
	bool without_accesses; /* TLB_RULE_REMAPPED matches */
} mechanisms[] = {
	{ "a new table at an address that was not flushed", new_table, TLB_RULE_EXPOSED_USE, true },
	{ "frames freed before all CPUs flushed", freed_early, TLB_RULE_EXPOSED_USE, false },
	{ "a shared page freed without a flush", freed_shared, TLB_RULE_EXPOSED_USE, false },
	{ "an empty table returned after a flush of leaves", empty_table, TLB_RULE_TABLE_WRITE, false },
	{ "a flush of the local CPU alone", local_only, TLB_RULE_EXPOSED_USE, true },
	{ "an address used again by another CPU", other_cpu, TLB_RULE_EXPOSED_USE, true },
	{ "presence read after the entry was cleared", read_too_late, TLB_RULE_EXPOSED_USE, true },
	{ "an address mapped while its flush is pending", mapped_while_pending, TLB_RULE_EXPOSED_USE, true },
	{ "a copied page whose old translation stays", copied_page, TLB_RULE_EXPOSED_USE, false },
	{ "a flush after the lock was dropped", after_the_lock, TLB_RULE_EXPOSED_USE, false },
	{ "INVLPG of the first address of a promoted page", promoted, TLB_RULE_EXPOSED_USE, true },
	{ "a wrong mask of PCIDs", wrong_pcid, TLB_RULE_EXPOSED_USE, false },
	{ "a right lost, and the call returns early", protected_late, TLB_RULE_EXPOSED_USE, false },
};

Test(tlb_mechanisms, each_bug_is_a_finding_and_its_control_is_none)
{
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		const struct mechanism *mechanism = &mechanisms[i];

		mechanism->run(true);
		cr_expect_gt(world_matches(&world, mechanism->rule), 0, "%zu. %s", i + 1, mechanism->what);
		cr_expect_eq(tlb_finding_count(world.tlb), world_matches(&world, mechanism->rule),
			     "%zu. %s: no other rule", i + 1, mechanism->what);
		cr_expect_eq(world_matches(&world, TLB_RULE_REMAPPED) > 0, mechanism->without_accesses,
			     "%zu. %s: without accesses", i + 1, mechanism->what);
		world_destroy(&world);
		mechanism->run(false);
		cr_expect_eq(tlb_finding_count(world.tlb), 0, "%zu. %s: the control", i + 1, mechanism->what);
		cr_expect_eq(world_matches(&world, TLB_RULE_REMAPPED), 0, "%zu. %s: the control", i + 1,
			     mechanism->what);
		world_destroy(&world);
	}
}
