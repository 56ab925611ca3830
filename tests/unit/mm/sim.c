/* SPDX-License-Identifier: MIT */
/*
 * sim.c: the simulated machine.
 */
#include "sim.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/pgtable.h"
#include "arch/x86_64/shootdown.h"
#include "kvmap/ports.h"
#include "lib/platform.h"
#include "lib/lock_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

u64 init_top_pgt[PTRS_PER_TABLE];
u64 sim_log_taken;
static char *ram;

void *__va(u64 gpa)
{
	cr_assert_lt(gpa, SIM_RAM_END, "the direct map has no GPA %#lx", gpa);
	return ram + gpa;
}

u64 __pa(const void *address)
{
	return (u64)((const char *)address - ram);
}

void invlpg(unsigned long va)
{
	sim_tlb[(va - KVMAP_VMALLOC_START) >> PAGE_SHIFT] = 0;
}

u64 read_cr3(void)
{
	return 0;
}

/* All leaves of the kernel are global: the TLB keeps them. */
void write_cr3(u64 value)
{
	(void)value;
}

u64 read_cr4(void)
{
	return X86_CR4_PAE | X86_CR4_PGE;
}

/* Clearing PGE, the first of a flush's two writes, empties the TLB. */
void write_cr4(u64 value)
{
	struct sim_cpu *cpu = &sim_cpus[sim_number];

	while (!(value & X86_CR4_PGE) && cpu->nr_used)
		cpu->tlb[cpu->used[--cpu->nr_used]] = 0;
}

/* Records that the TLB has the page. */
static void tlb_note(struct sim_cpu *cpu, u32 page)
{
	u32 i, kept = 0;

	if (cpu->nr_used == SIM_TLB_PAGES) {
		for (i = 0; i < cpu->nr_used; i++) /* invlpg does not remove numbers */
			if (cpu->tlb[cpu->used[i]] && cpu->used[i] != page)
				cpu->used[kept++] = cpu->used[i];
		cpu->nr_used = kept;
	}
	cpu->used[cpu->nr_used++] = page;
}

/* A translation that does not allow the access is not used; the page tables are walked again. */
static u64 *sim_translate(unsigned long va, bool write)
{
	unsigned long page = (va - KVMAP_VMALLOC_START) >> PAGE_SHIFT;

	cr_assert_lt(page, SIM_TLB_PAGES, "%#lx is beyond the simulated TLB", va);
	if (!sim_tlb[page] || (write && !sim_tlb_writable[page])) {
		u64 gpa = arch_virt_to_phys(va);

		if (gpa == ~0ul || !pgtable_allows(va, write, false))
			return NULL;
		sim_tlb[page] = (u32)(gpa >> PAGE_SHIFT) + 1;
		sim_tlb_writable[page] = pgtable_allows(va, true, false);
		tlb_note(&sim_cpus[sim_number], (u32)page);
	}
	return (u64 *)(ram + ((u64)(sim_tlb[page] - 1) << PAGE_SHIFT) + va % PAGE_SIZE);
}

bool sim_read(unsigned long va, u64 *value_out)
{
	const u64 *word = sim_translate(va, false);

	if (word)
		*value_out = *word;
	return word;
}

bool sim_write(unsigned long va, u64 value)
{
	u64 *word = sim_translate(va, true);

	if (word)
		*word = value;
	return word;
}

bool sim_guard_faults(unsigned long addr, unsigned long pages)
{
	unsigned long end = addr + pages * PAGE_SIZE;
	u64 value;

	for (unsigned long page = end; page < area_after(addr, pages); page += PAGE_SIZE)
		if (sim_read(page, &value))
			return false;
	return true;
}

static void region(struct memblock_region *out, u64 base, u64 end, u32 kind)
{
	*out = (struct memblock_region){ .base = base, .size = end - base, .kind = kind };
}

void sim_boot(u32 policy)
{
	cr_assert_null(ram, "a process boots one machine");
	ram = mmap(NULL, SIM_RAM_END, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(ram, MAP_FAILED);
	max_pfn = SIM_RAM_END >> PAGE_SHIFT;
	mem_map = calloc(max_pfn, sizeof(*mem_map));

	/*
	 * The second and third regions are adjacent; their border is not aligned to any buddy block. A hole
	 * from 9M to 12M.
	 */
	memblock.nr_memory = 4;
	region(&memblock.memory[0], 0, 0x9f000, MEMBLOCK_RAM);
	region(&memblock.memory[1], 0x100000, 0x501000, MEMBLOCK_RAM);
	region(&memblock.memory[2], 0x501000, 0x900000, MEMBLOCK_RAM);
	region(&memblock.memory[3], 0xc00000, 0x1000000, MEMBLOCK_RAM);
	memblock.nr_reserved = 4;
	region(&memblock.reserved[0], 0, 0x100000, MEMBLOCK_LOW);
	region(&memblock.reserved[1], 0x200000, 0x283000, MEMBLOCK_IMAGE);
	region(&memblock.reserved[2], 0x283000, 0x2a1000, MEMBLOCK_MEM_MAP);
	region(&memblock.reserved[3], 0xfff000, 0x1000000, MEMBLOCK_MODULE);
	frames_init();
	vmalloc_init(policy);
	lock_check_on = true;
}

/* ---- checks of locks ---- */

bool sim_lock_finding_expected;
_Thread_local bool sim_in_interrupt, sim_interrupts_off;

struct lock_context lock_context(void)
{
	return (struct lock_context){ sim_number, sim_in_interrupt,
				      !sim_interrupts_off && !sim_in_interrupt };
}

void lock_check_found(const struct lock_finding *finding)
{
#define WORDING(NAME, wording) wording,
	static const char *const wordings[] = { LOCK_FINDINGS(WORDING) };

	if (sim_lock_finding_expected)
		return;
	fprintf(stderr, "%s %s: at %p; %s taken at %p; %s taken at %p while %s taken at %p was held\n",
		finding->name, wordings[finding->kind], finding->at,
		finding->held_name ? finding->held_name : "-", finding->held_at,
		finding->reverse_name ? finding->reverse_name : "-", finding->reverse_at,
		finding->reverse_held_name ? finding->reverse_held_name : "-", finding->reverse_held_at);
	cr_assert(false, "a finding of lib/lock_check.h; see standard error");
}

/* The host reads the log at once. */
void doorbell_ring(u32 bell)
{
	cr_assert_eq(bell, KVMAP_DOORBELL_FLUSHES);
	__atomic_add_fetch(&sim_log_taken, 1, __ATOMIC_RELAXED);
}

struct vmap_area *sim_area(unsigned long addr)
{
	struct vmap_area *va;

	spin_lock(&vmap_area_lock);
	va = vmap_busy_find(addr);
	spin_unlock(&vmap_area_lock);
	return va;
}

void sim_leave_free(u64 nr)
{
	u32 taken = (u32)(frames_free_count() - nr), left;
	u32 first = taken ? frames_alloc_chain(taken, PAGE_HELD) : 0, pfn = first;

	if (!first)
		return;
	for (left = taken; left > 1; left--)
		pfn = pfn_to_page(pfn)->next;
	pfn_to_page(pfn)->next = held_pages;
	held_pages = first;
	vm_stat_add(NR_HELD_PAGES, taken);
}

void sim_release_held(void)
{
	frames_free_chain(held_pages, (u32)vm_stat_sum(NR_HELD_PAGES), 0);
	held_pages = 0;
	vm_stat_add(NR_HELD_PAGES, -(s64)vm_stat_sum(NR_HELD_PAGES));
}

u64 vm_stat_sum(enum vm_stat_item item)
{
	u64 sum = 0;

	for (u32 cpu = 0; cpu < NR_CPUS; cpu++)
		sum += READ_ONCE(cpu_caches[cpu].vm_stat[item]);
	return sum;
}

struct vmalloc_stats stats(void)
{
	struct vmalloc_stats sums;

	vmalloc_stats_sum(&sums);
	return sums;
}

void snapshot_take(struct snapshot *out)
{
	kmem_drain_cpu(this_cpu_cache());
	pcp_drain();
	memset(out, 0, sizeof(*out));
	memcpy(out->zones, zones, sizeof(zones));
	for (u32 z = 0; z < MAX_NR_ZONES; z++) {
		out->zones[z].lock = (struct spinlock){ 0 };
		for (u32 order = 0; order <= MAX_ORDER; order++)
			out->zones[z].free_area[order].first = 0;
	}
	out->caches[0] = vmap_area_cache;
	out->caches[1] = vm_struct_cache;
	out->caches[0].lock = out->caches[1].lock = (struct spinlock){ 0 };
	out->cpu = cpu_caches[0];
	out->cpu.vmalloc_status = out->cpu.page_alloc_status = out->cpu.kmalloc_status = KVMAP_OK;
	out->cpu.lazy.lock = (struct spinlock){ 0 };
	out->cpu.kmalloc_fast_max = 0;
	out->cpu.stats.refused = 0;
	out->busy = vmap_area_root;
	out->free = free_vmap_area_root;
	out->clock = tlb_gen;
}
