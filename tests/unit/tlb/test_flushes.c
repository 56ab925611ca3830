/* SPDX-License-Identifier: MIT */
/*
 * test_flushes.c: what each flush pays, by SDM vol. 3A 4.10.4.1. No KVM host of the tests offers PCIDs to a guest: these
 * streams are written.
 */
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

#define A_VA (KERNEL + 0x0000)
#define B_VA (KERNEL + 0x1000)
#define G_VA (KERNEL + 0x2000)
#define M_VA (KERNEL + 0x40000000)
#define T_VA (KERNEL + 0x80000000)

#define BASE  (CR4_PAE | CR4_PCIDE | CR4_PGE)
#define KEEPS X86_BIT(63)

/* The debts of PCIDs 1 (current) and 2 of CPU 0 before: A and B 4K, M 2M, T a page table; G is global. */
#define EVERYTHING "A1 A2 B1 B2 G M1 M2 T1 T2 "

static void lose_everything(struct world *world)
{
	uint64_t entries[5];

	world_map(world, A_VA, FRAME(1), 1, RW);
	world_map(world, B_VA, FRAME(2), 1, RW);
	world_map(world, G_VA, FRAME(3), 1, RW | PTE_G);
	world_map(world, M_VA, FRAME(4), 2, RW);
	entries[0] = world_entry(world, world->root, A_VA, 1);
	entries[1] = world_entry(world, world->root, B_VA, 1);
	entries[2] = world_entry(world, world->root, G_VA, 1);
	entries[3] = world_entry(world, world->root, M_VA, 2);
	world_entry(world, world->root, T_VA, 1);
	entries[4] = world_entry(world, world->root, T_VA, 2);
	world_boot(world, BASE);
	FEED(world, CR3, .value = world->root | 2);
	FEED(world, INVPCID, .flags = 1, .value = 0);
	FEED(world, CR3, .value = world->root | 1);
	for (unsigned int i = 0; i < 5; i++)
		world_store(world, 1, 7, entries[i], 0);
}

struct names {
	char text[64];
};

static void add_name(void *context, const struct tlb_debt *debt)
{
	struct names *names = context;
	char name = debt->is_table     ? 'T'
		    : debt->va == A_VA ? 'A'
		    : debt->va == B_VA ? 'B'
		    : debt->va == G_VA ? 'G'
				       : 'M';
	char *end = names->text + strlen(names->text);

	*end++ = name;
	if (!debt->is_global)
		*end++ = (char)('0' + debt->pcid);
	*end++ = ' ';
	*end = '\0';
}

/* Sorted by name: each has at most three characters. */
static void list(struct world *world, char out[64])
{
	static const char *const all[] = { "A0", "A1", "A2", "B0", "B1", "B2", "G",
					   "M0", "M1", "M2", "T0", "T1", "T2" };
	struct names names = { "" };

	tlb_for_each_debt(world->tlb, 0, add_name, &names);
	out[0] = '\0';
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strstr(names.text, all[i]))
			strcat(strcat(out, all[i]), " ");
}

struct row {
	const char *what;
	struct tlb_event event;
	uint64_t root_added; /* value is added to the root */
	const char *left;
};

/* value of CR3: its low bits; the root is added. */
static const struct row rows[] = {
	{ "INVLPG of a page", { .kind = TLB_INVLPG, .address = A_VA + 5 }, 0, "A2 B1 B2 G M1 M2 T2 " },
	{ "INVLPG of a global page", { .kind = TLB_INVLPG, .address = G_VA }, 0, "A1 A2 B1 B2 M1 M2 T2 " },
	{ "INVLPG inside a 2M page",
	  { .kind = TLB_INVLPG, .address = M_VA + 0x1ff000 },
	  0,
	  "A1 A2 B1 B2 G M2 T2 " },
	{ "a range of pages",
	  { .kind = TLB_FLUSH_RANGE, .address = A_VA, .value = B_VA + 1 },
	  0,
	  "A2 B2 G M1 M2 T2 " },
	{ "INVPCID 0",
	  { .kind = TLB_INVPCID, .flags = 0, .address = A_VA, .value = 2 },
	  0,
	  "A1 B1 B2 G M1 M2 T1 T2 " },
	{ "INVPCID 0 below a table",
	  { .kind = TLB_INVPCID, .address = T_VA + 0x1000, .value = 2 },
	  0,
	  "A1 A2 B1 B2 G M1 M2 T1 " },
	{ "INVPCID 0 of a global page", { .kind = TLB_INVPCID, .address = G_VA, .value = 1 }, 0, EVERYTHING },
	{ "INVPCID 1", { .kind = TLB_INVPCID, .flags = 1, .value = 2 }, 0, "A1 B1 G M1 T1 " },
	{ "INVPCID 1 of the current PCID",
	  { .kind = TLB_INVPCID, .flags = 1, .value = 1 },
	  0,
	  "A2 B2 G M2 T2 " },
	{ "INVPCID 2", { .kind = TLB_INVPCID, .flags = 2 }, 0, "" },
	{ "INVPCID 3", { .kind = TLB_INVPCID, .flags = 3 }, 0, "G " },
	{ "CR3 of the current PCID", { .kind = TLB_CR3, .value = 1 }, 1, "A2 B2 G M2 T2 " },
	{ "CR3 of another PCID", { .kind = TLB_CR3, .value = 2 }, 1, "A1 B1 G M1 T1 " },
	{ "CR3 of a new PCID", { .kind = TLB_CR3, .value = 3 }, 1, EVERYTHING },
	{ "CR3 with bit 63", { .kind = TLB_CR3, .value = 1 | KEEPS }, 1, EVERYTHING },
	{ "CR3 of another PCID with bit 63", { .kind = TLB_CR3, .value = 2 | KEEPS }, 1, EVERYTHING },
	{ "CR4.PGE cleared", { .kind = TLB_CR4, .value = BASE & ~CR4_PGE }, 0, "" },
	{ "CR4.PCIDE cleared", { .kind = TLB_CR4, .value = BASE & ~CR4_PCIDE }, 0, "" },
	{ "CR4.SMEP set", { .kind = TLB_CR4, .value = BASE | CR4_SMEP }, 0, "A2 B2 G M2 T2 " },
	{ "CR4.SMAP set", { .kind = TLB_CR4, .value = BASE | CR4_SMAP }, 0, EVERYTHING },
	{ "CR4 as it was", { .kind = TLB_CR4, .value = BASE }, 0, EVERYTHING },
	{ "CR0.PG cleared", { .kind = TLB_CR0, .value = CR0_PE }, 0, "" },
	{ "CR0.WP cleared", { .kind = TLB_CR0, .value = CR0_PE | CR0_PG }, 0, EVERYTHING },
	{ "a flush of another CPU", { .kind = TLB_INVPCID, .cpu = 1, .flags = 2 }, 0, EVERYTHING },
};

Test(tlb_flushes, each_pays_what_the_manual_says)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlb_event event = rows[i].event;
		static struct world world;
		char left[64];

		world_init(&world);
		lose_everything(&world);
		list(&world, left);
		cr_assert_str_eq(left, EVERYTHING);
		if (rows[i].root_added)
			event.value += world.root;
		world_feed(&world, event);
		list(&world, left);
		cr_expect_str_eq(left, rows[i].left, "%s: %s, expected %s", rows[i].what, left, rows[i].left);
		world_destroy(&world);
	}
}

Test(tlb_flushes, needless_ones_are_counted_by_kind)
{
	static struct world world;
	const struct tlb_stats *stats;

	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	world_boot(&world, CR4_PGE);
	stats = tlb_stats(world.tlb);
	FEED(&world, INVLPG, .address = KERNEL);
	cr_expect_eq(stats->needless[TLB_INVLPG], 1, "nothing was owed");
	world_store(&world, 0, 1, world_entry(&world, world.root, KERNEL, 1), 0);
	FEED(&world, INVLPG, .address = KERNEL + 0x1000);
	cr_expect_eq(stats->needless[TLB_INVLPG], 2, "nothing was owed there");
	FEED(&world, INVLPG, .address = KERNEL);
	FEED(&world, CR3, .cpu = 1, .value = world.root);
	cr_expect_eq(stats->needless[TLB_INVLPG] + stats->needless[TLB_CR3], 2);
	cr_expect_eq(stats->flushes[TLB_INVLPG], 3);
	cr_expect_eq(stats->debts_paid, 2);
	FEED(&world, CR3, .cpu = 1, .value = world.root);
	cr_expect_eq(stats->needless[TLB_CR3], 1);
	world_destroy(&world);
}

Test(tlb_flushes, every_nth_is_disbelieved)
{
	static struct world world;

	world_init(&world);
	world.config.disbelieve = 2;
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	world_boot(&world, 0);
	world_store(&world, 0, 1, world_entry(&world, world.root, KERNEL, 1), 0);
	FEED(&world, INVLPG, .cpu = 1, .address = 0);
	FEED(&world, INVLPG, .address = KERNEL);
	cr_expect_eq(world_owed(&world, 0), 1, "the second flush is ignored");
	FEED(&world, INVLPG, .address = KERNEL);
	cr_expect_eq(world_owed(&world, 0), 0, "the third is not");
	cr_expect_eq(tlb_stats(world.tlb)->disbelieved, 1);
	world_destroy(&world);
}

Test(tlb_flushes, a_pcid_with_another_root_must_be_flushed)
{
	static struct world world;
	uint64_t other;

	for (unsigned int keeps = 0; keeps < 2; keeps++) {
		world_init(&world);
		world_map(&world, USER, FRAME(1), 1, RWU);
		other = world_table(&world);
		world_boot(&world, CR4_PCIDE);
		FEED(&world, CR3, .value = world.root | 5);
		FEED(&world, CR3, .value = other | 5 | (keeps ? KEEPS : 0));
		FEED(&world, ACCESS, .address = USER, .flags = TLB_ACCESS_USER);
		cr_expect_eq(world_owed_at(&world, 0, USER, 1), keeps);
		cr_expect_eq(world_matches(&world, TLB_RULE_EXPOSED_USE), keeps);
		world_destroy(&world);
	}
}

Test(tlb_flushes, a_mask_that_names_the_wrong_pcid_leaves_the_debt)
{
	static struct world world;

	for (unsigned int pcid = 1; pcid <= 2; pcid++) {
		world_init(&world);
		world_map(&world, USER, FRAME(1), 1, RWU);
		world_boot(&world, CR4_PCIDE);
		FEED(&world, CR3, .value = world.root | 1);
		FEED(&world, CR3, .value = world.root | 2);
		world_store(&world, 0, 9, world_entry(&world, world.root, USER, 1), 0);
		/* The right flush is of both: that of 2 is done, and once more 2 or 1. */
		FEED(&world, INVLPG, .address = USER);
		FEED(&world, INVPCID, .flags = 1, .value = pcid);
		FEED(&world, CR3, .value = world.root | 1 | KEEPS);
		FEED(&world, USER, .thread = 9);
		cr_expect_eq(world_matches(&world, TLB_RULE_USER_OWES), pcid == 2, "PCID %u flushed", pcid);
		world_destroy(&world);
	}
}

Test(tlb_flushes, global_translations_survive_a_change_of_roots)
{
	static struct world world;
	uint64_t other;

	for (unsigned int global = 0; global < 2; global++) {
		world_init(&world);
		world_map(&world, KERNEL, FRAME(1), 1, RW | (global ? PTE_G : 0));
		world_map(&world, KERNEL + (1ull << 39), FRAME(2), 1, RW | PTE_G);
		other = world_table(&world);
		/* The second mapping is in both roots. */
		world.memory[other / PAGE_4K][page_level_index(KERNEL + (1ull << 39), 4)] =
			world.memory[world.root / PAGE_4K][page_level_index(KERNEL + (1ull << 39), 4)];
		world_boot(&world, CR4_PGE);
		FEED(&world, CR3, .value = other);
		cr_expect_eq(world_owed_at(&world, 0, KERNEL, 1), global);
		cr_expect_eq(world_owed(&world, 0), global, "what both roots map is not owed");
		FEED(&world, CR3, .value = world.root);
		cr_expect_eq(world_owed(&world, 0), 0, "the first root gives it again");
		world_destroy(&world);
	}
}
