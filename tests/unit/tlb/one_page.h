/* SPDX-License-Identifier: MIT */
/*
 * one_page.h: a world with one mapped page, for the tests of rules.
 */
#ifndef TESTS_UNIT_TLB_ONE_PAGE_H
#define TESTS_UNIT_TLB_ONE_PAGE_H

#include "world.h"

#include <criterion/criterion.h>

#define THREAD 7

static struct world world;

static void start(uint64_t va, uint64_t flags)
{
	world_init(&world);
	world_map(&world, va, FRAME(1), 1, flags);
	world_boot(&world, 0);
}

static uint64_t pte(uint64_t va)
{
	return world_entry(&world, world.root, va, 1);
}

static void unmap(uint64_t va)
{
	world_store(&world, 0, THREAD, pte(va), 0);
}

static void flush(unsigned int cpu, uint64_t va)
{
	FEED(&world, INVLPG, .cpu = (uint16_t)cpu, .address = va);
}

/* The only match of the run, and of this rule. */
static void expect_only(enum tlb_rule rule, uint64_t count)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < TLB_RULE_COUNT; i++)
		sum += world_matches(&world, i);
	cr_expect_eq(world_matches(&world, rule), count, "%s: %llu", tlb_rules[rule].word,
		     (unsigned long long)world_matches(&world, rule));
	cr_expect_eq(sum, count, "%s and no other", tlb_rules[rule].word);
	world_destroy(&world);
}

#endif
