/* SPDX-License-Identifier: MIT */
/*
 * world.h: a guest of a test: page tables in memory, CPUs, and the model that follows them by events.
 */
#ifndef TESTS_UNIT_TLB_WORLD_H
#define TESTS_UNIT_TLB_WORLD_H

#include "base/page.h"
#include "base/rights.h"
#include "base/x86.h"
#include "tlb/tlb.h"

#define WORLD_PAGES 64
#define KERNEL      0xffffc90000000000ull
#define USER        0x0000000000400000ull
#define FRAME(n)    (0x10000000ull + (n)*0x200000ull) /* of pages, outside of the tables */
#define RW          (PTE_P | PTE_W)
#define RWU         (PTE_P | PTE_W | PTE_U)

struct world {
	struct tlb *tlb;
	struct tlb_config config;
	unsigned int levels;
	uint64_t memory[WORLD_PAGES][512]; /* GPA 0 on */
	uint64_t next;                     /* GPA of the next free page */
	uint64_t root;                     /* GPA of the first top table */
};

/* Two CPUs, 4 levels, all rules are findings; nothing is fed yet, so that config may be changed. */
void world_init(struct world *world);
/* Creates the model, and turns paging on on all CPUs: CR4 is PAE, the bits given, and LA57 by levels. */
void world_boot(struct world *world, uint64_t cr4);
void world_destroy(struct world *world);

uint64_t world_table(struct world *world);
/* GPA of the entry of `level` for an address; tables above it are made, with all rights. After the boot by events of CPU 0. */
uint64_t world_entry(struct world *world, uint64_t root, uint64_t va, unsigned int level);
/* A store to an entry, by an event once the model is there. */
void world_store(struct world *world, unsigned int cpu, uint64_t thread, uint64_t gpa, uint64_t value);
/* Maps one page below the first root. */
void world_map(struct world *world, uint64_t va, uint64_t gpa, unsigned int level, uint64_t flags);

void world_feed(struct world *world, struct tlb_event event);
#define FEED(world, KIND, ...) world_feed(world, (struct tlb_event){ .kind = TLB_##KIND, __VA_ARGS__ })

/* Debts that a CPU owes: all, or those at an address of a level (0: any). */
unsigned int world_owed(struct world *world, unsigned int cpu);
unsigned int world_owed_at(struct world *world, unsigned int cpu, uint64_t va, unsigned int level);
uint64_t world_matches(struct world *world, enum tlb_rule rule);

#endif
