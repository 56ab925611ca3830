/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

static bool read_page(void *context, uint64_t gpa, uint64_t entries[512])
{
	const struct world *world = context;

	if (gpa / PAGE_4K >= WORLD_PAGES)
		return false;
	memcpy(entries, world->memory[gpa / PAGE_4K], PAGE_4K);
	return true;
}

void world_init(struct world *world)
{
	memset(world, 0, sizeof(*world));
	world->config = tlb_config_default();
	world->config.cpus = 2;
	world->config.rules = (1u << TLB_RULE_COUNT) - 1;
	world->config.page = read_page;
	world->config.context = world;
	world->levels = 4;
	world->next = PAGE_4K;
	world->root = world_table(world);
}

void world_boot(struct world *world, uint64_t cr4)
{
	struct error error;

	cr4 |= CR4_PAE | (world->levels == 5 ? CR4_LA57 : 0);
	cr_assert_eq(tlb_create(&world->config, &world->tlb, &error), 0, "%s", error.text);
	for (uint16_t cpu = 0; cpu < world->config.cpus; cpu++) {
		FEED(world, CR4, .cpu = cpu, .value = cr4 & ~CR4_PCIDE);
		FEED(world, CR3, .cpu = cpu, .value = world->root);
		FEED(world, CR0, .cpu = cpu, .value = CR0_PE | CR0_PG | CR0_WP);
		FEED(world, CR4, .cpu = cpu, .value = cr4);
	}
}

void world_destroy(struct world *world)
{
	tlb_destroy(world->tlb);
	world->tlb = NULL;
}

uint64_t world_table(struct world *world)
{
	uint64_t gpa = world->next;

	cr_assert(gpa / PAGE_4K < WORLD_PAGES);
	world->next += PAGE_4K;
	return gpa;
}

void world_store(struct world *world, unsigned int cpu, uint64_t thread, uint64_t gpa, uint64_t value)
{
	uint64_t *entry = &world->memory[gpa / PAGE_4K][gpa % PAGE_4K / 8], old = *entry;

	*entry = value;
	if (world->tlb)
		FEED(world, STORE, .cpu = (uint16_t)cpu, .flags = TLB_STORE_OLD_KNOWN, .address = gpa,
		     .value = value, .old = old, .thread = thread);
}

uint64_t world_entry(struct world *world, uint64_t root, uint64_t va, unsigned int level)
{
	uint64_t table = root;

	for (unsigned int at = world->levels; at > level; at--) {
		uint64_t gpa = table + page_level_index(va, at) * 8;
		uint64_t entry = world->memory[gpa / PAGE_4K][gpa % PAGE_4K / 8];

		if (!entry) {
			entry = world_table(world) | RWU;
			world_store(world, 0, 0, gpa, entry);
		}
		table = entry & PTE_ADDRESS;
	}
	return table + page_level_index(va, level) * 8;
}

void world_map(struct world *world, uint64_t va, uint64_t gpa, unsigned int level, uint64_t flags)
{
	world_store(world, 0, 0, world_entry(world, world->root, va, level),
		    gpa | flags | (level > 1 ? PTE_PS : 0));
}

void world_feed(struct world *world, struct tlb_event event)
{
	struct error error;

	cr_assert_eq(tlb_feed(world->tlb, &event, &error), 0, "%s", error.text);
}

struct count {
	uint64_t va;
	unsigned int level, count;
};

static void count_debt(void *context, const struct tlb_debt *debt)
{
	struct count *count = context;

	count->count += !count->level || (debt->va == count->va && debt->level == count->level);
}

unsigned int world_owed(struct world *world, unsigned int cpu)
{
	return world_owed_at(world, cpu, 0, 0);
}

unsigned int world_owed_at(struct world *world, unsigned int cpu, uint64_t va, unsigned int level)
{
	struct count count = { va, level, 0 };

	tlb_for_each_debt(world->tlb, cpu, count_debt, &count);
	return count.count;
}

uint64_t world_matches(struct world *world, enum tlb_rule rule)
{
	return tlb_matches(world->tlb, rule);
}
