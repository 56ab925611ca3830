/* SPDX-License-Identifier: MIT */
/*
 * test_threads.c: random sequences on several CPUs at the same time; all claims are checked whenever all have
 * stopped. TLBs evict nothing, so that a CPU that reaches reallocated memory reads other stamps than it
 * wrote. MM_OPERATIONS: operations of each CPU between two checks.
 */
#include "sim.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <pthread.h>
#include <stdlib.h>

#define SLOTS    32
#define EXCHANGE 8
#define ROUNDS   10

struct run {
	u32 policy, cpus;
};

static struct run runs[] = {
	{ KVMAP_POLICY_STRICT, 2 }, { KVMAP_POLICY_STRICT, 4 }, { KVMAP_POLICY_STRICT, 8 },
	{ KVMAP_POLICY_LAZY, 4 },   { KVMAP_POLICY_EAGER, 4 },
};

enum kind { NOTHING, AREA, OBJECT, FRAMES, MAPPING, KINDS };

struct slot {
	enum kind kind;
	u32 order;
	unsigned long addr, bytes;
	struct page *page; /* MAPPING: the first of the frames that it maps */
	u64 stamp;
};

/* Frames of a second mapping are freed after the mapping was flushed. */
#define WAITING 16

struct thread {
	u64 random, operations;
	u32 number;
	struct slot slots[SLOTS], waiting[WAITING];
	u32 nr_waiting;
	pthread_t thread;
};

static struct thread threads[SIM_CPUS];
static struct slot exchange[EXCHANGE];
static struct spinlock exchange_lock;
/* The area that all CPUs try to free at once. */
static void *contested;
static u32 freed;

static u64 pick(struct thread *thread, u64 below)
{
	thread->random = thread->random * 6364136223846793005u + 1442695040888963407u;
	return (thread->random >> 33) % below;
}

static bool is_virtual(const struct slot *slot)
{
	return slot->kind == AREA || slot->kind == MAPPING;
}

/* The word at an offset, by the TLB or the direct map. */
static void put(const struct slot *slot, unsigned long offset, u64 value)
{
	if (is_virtual(slot))
		cr_assert(sim_write(slot->addr + offset, value), "%#lx faults", slot->addr + offset);
	else
		*(u64 *)(slot->addr + offset) = value;
}

static u64 get(const struct slot *slot, unsigned long offset)
{
	u64 value;

	if (!is_virtual(slot))
		return *(u64 *)(slot->addr + offset);
	cr_assert(sim_read(slot->addr + offset, &value), "%#lx faults", slot->addr + offset);
	return value;
}

static unsigned long step_of(const struct slot *slot)
{
	return is_virtual(slot) ? PAGE_SIZE : 64;
}

static void fill(const struct slot *slot)
{
	for (unsigned long at = 0; at < slot->bytes; at += step_of(slot))
		put(slot, at, slot->stamp + at);
}

static void check(const struct slot *slot)
{
	for (unsigned long at = 0; at < slot->bytes; at += step_of(slot))
		cr_assert_eq(get(slot, at), slot->stamp + at, "kind %d at %#lx: somebody else's", slot->kind,
			     slot->addr + at);
}

/* A buddy block, mapped from the last frame to the first. */
static void make_mapping(struct slot *slot)
{
	struct page *pages[8];
	u32 nr = 1u << slot->order;

	slot->page = alloc_pages(GFP_KERNEL, slot->order);
	if (!slot->page)
		return;
	for (u32 i = 0; i < nr; i++)
		pages[i] = slot->page + (nr - 1 - i);
	slot->addr = (unsigned long)vm_map_ram(pages, nr, NUMA_NO_NODE);
	if (!slot->addr)
		__free_pages(slot->page, slot->order);
}

static void waiting_free(struct thread *thread)
{
	vm_unmap_aliases();
	while (thread->nr_waiting) {
		const struct slot *slot = &thread->waiting[--thread->nr_waiting];

		__free_pages(slot->page, slot->order);
	}
}

static void make(struct thread *thread, struct slot *slot)
{
	const struct page *page;
	bool zero = false;

	*slot = (struct slot){ .kind = 1 + (enum kind)pick(thread, KINDS - 1), .stamp = thread->random };
	switch (slot->kind) {
	case AREA:
		slot->bytes = (1 + pick(thread, 1ul << pick(thread, 6))) * PAGE_SIZE;
		zero = !pick(thread, 4);
		slot->addr = (unsigned long)(zero ? vzalloc(slot->bytes) : vmalloc(slot->bytes));
		break;
	case OBJECT:
		slot->bytes = 8ul << pick(thread, 10);
		zero = !pick(thread, 4);
		slot->addr = (unsigned long)kmalloc(slot->bytes, GFP_KERNEL | (zero ? __GFP_ZERO : 0));
		break;
	case MAPPING:
		slot->order = (u32)pick(thread, 4);
		slot->bytes = PAGE_SIZE << slot->order;
		make_mapping(slot);
		break;
	default:
		slot->order = (u32)pick(thread, 3);
		slot->bytes = PAGE_SIZE << slot->order;
		page = alloc_pages(GFP_KERNEL, slot->order);
		slot->addr = page ? (unsigned long)page_address(page) : 0;
	}
	if (!slot->addr) {
		slot->kind = NOTHING;
		return;
	}
	for (unsigned long at = 0; zero && at < slot->bytes; at += step_of(slot))
		cr_assert_eq(get(slot, at), 0, "%#lx is not zero", slot->addr + at);
	fill(slot);
}

static void destroy(struct thread *thread, struct slot *slot)
{
	if (!slot->kind)
		return;
	check(slot);
	switch (slot->kind) {
	case AREA:
		vfree((void *)slot->addr);
		cr_assert_eq(vmalloc_status(), KVMAP_OK);
		break;
	case OBJECT: kfree((void *)slot->addr); break;
	case FRAMES: free_pages(slot->addr, slot->order); break;
	case MAPPING:
		vm_unmap_ram((void *)slot->addr, 1u << slot->order);
		cr_assert_eq(vmalloc_status(), KVMAP_OK);
		thread->waiting[thread->nr_waiting++] = *slot;
		if (thread->nr_waiting == WAITING)
			waiting_free(thread);
		break;
	default: break;
	}
	slot->kind = NOTHING;
}

static void swap(struct thread *thread, struct slot *slot)
{
	struct slot *other = &exchange[pick(thread, EXCHANGE)], mine = *slot;

	spin_lock(&exchange_lock);
	*slot = *other;
	*other = mine;
	spin_unlock(&exchange_lock);
}

static void step(struct thread *thread)
{
	struct slot *slot = &thread->slots[pick(thread, SLOTS)];
	u64 what = pick(thread, 16);

	sim_poll();
	if (what < 2)
		swap(thread, slot);
	else if (!slot->kind)
		make(thread, slot);
	else if (what < 4)
		check(slot);
	else if (what == 4 && !pick(thread, 64))
		vmalloc_purge();
	else
		destroy(thread, slot);
}

static void *thread_main(void *argument)
{
	struct thread *thread = argument;

	sim_cpu_start(thread->number);
	for (u64 left = thread->operations; left; left--)
		step(thread);
	sim_cpu_stop();
	return NULL;
}

static void *contest_main(void *argument)
{
	struct thread *thread = argument;

	sim_cpu_start(thread->number);
	vfree(contested);
	if (vmalloc_status() == KVMAP_OK)
		__atomic_add_fetch(&freed, 1, __ATOMIC_SEQ_CST);
	else
		cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_DOUBLE_FREE);
	sim_cpu_stop();
	return NULL;
}

static void *contest_unmap_main(void *argument)
{
	struct thread *thread = argument;

	sim_cpu_start(thread->number);
	vm_unmap_ram(contested, 1);
	if (vmalloc_status() == KVMAP_OK)
		__atomic_add_fetch(&freed, 1, __ATOMIC_SEQ_CST);
	else
		cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_DOUBLE_FREE);
	sim_cpu_stop();
	return NULL;
}

/* All at the same time; CPU 0 is also the test's own thread. */
static void run_all(u32 cpus, void *(*function)(void *argument))
{
	sim_cpu_stop();
	for (u32 i = 0; i < cpus; i++) {
		threads[i].number = i;
		cr_assert_eq(pthread_create(&threads[i].thread, NULL, function, &threads[i]), 0);
	}
	for (u32 i = 0; i < cpus; i++)
		pthread_join(threads[i].thread, NULL);
	sim_cpu_start(0);
}

static void boot(const struct run *run)
{
	const char *operations = getenv("MM_OPERATIONS");

	sim_boot(run->policy);
	arch_nr_cpus = run->cpus;
	for (u32 i = 0; i < SIM_CPUS; i++) {
		sim_cpus[i].state = i ? CPU_IDLE : CPU_RUNNING;
		threads[i].random = i + 1;
		threads[i].operations = (operations ? strtoull(operations, NULL, 10) : 10000) / run->cpus;
	}
}

ParameterizedTestParameters(threads, sequences_on_several_cpus_keep_every_claim_true_and_lose_nothing)
{
	return cr_make_param_array(struct run, runs, sizeof(runs) / sizeof(runs[0]));
}

ParameterizedTest(const struct run *run, threads,
		  sequences_on_several_cpus_keep_every_claim_true_and_lose_nothing)
{
	u64 total;

	boot(run);
	total = frames_free_count();
	for (int round = 0; round < ROUNDS; round++) {
		run_all(run->cpus, thread_main);
		check_machine();
	}
	for (u32 i = 0; i < run->cpus; i++)
		for (u32 k = 0; k < SLOTS; k++)
			destroy(&threads[0], &threads[i].slots[k]);
	for (u32 k = 0; k < EXCHANGE; k++)
		destroy(&threads[0], &exchange[k]);
	for (u32 i = 0; i < run->cpus; i++)
		waiting_free(&threads[i]);
	vmalloc_purge();
	check_machine();
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES) + vm_stat_sum(NR_LAZY_PAGES) +
			     vm_stat_sum(NR_KMALLOC_PAGES),
		     0);
	for (u32 cpu = 1; cpu < SIM_CPUS; cpu++) /* all that is not free is on per-CPU lists */
		total -= cpu_caches[cpu].pcp.nr + cpu_caches[cpu].pcp_zero.nr;
	cr_assert_eq(frames_free_count() + vm_stat_sum(NR_SLAB_PAGES) + vm_stat_sum(NR_PAGETABLE_PAGES),
		     total + 1 /* the slab of vmalloc_init() */);
}

Test(threads, of_all_that_free_one_area_one_does)
{
	const struct run run = { KVMAP_POLICY_STRICT, 8 };

	boot(&run);
	for (int round = 0; round < 200; round++) {
		contested = vmalloc(PAGE_SIZE);
		freed = 0;
		run_all(run.cpus, contest_main);
		cr_assert_eq(freed, 1, "%u CPUs have freed it", freed);
	}
	check_machine();
}

/* How often vmap blocks are filled, flushed and reused. */
Test(threads, of_all_that_unmap_one_mapping_one_does)
{
	const struct run run = { KVMAP_POLICY_STRICT, 4 };
	struct page *page;

	boot(&run);
	page = alloc_pages(GFP_KERNEL, 0);
	for (int round = 0; round < 600; round++) {
		contested = vm_map_ram(&page, 1, NUMA_NO_NODE);
		freed = 0;
		run_all(run.cpus, contest_unmap_main);
		cr_assert_eq(freed, 1, "%u CPUs have unmapped it", freed);
	}
	check_machine();
}

Test(threads, a_small_area_that_the_caches_have_takes_no_lock)
{
	u64 before = 0, after = 0, acquired, contended;
	void *area;

	sim_boot(KVMAP_POLICY_STRICT);
	for (int i = 0; i < 300; i++)
		vfree(vmalloc(PAGE_SIZE));
	for (u32 i = 0; i < lock_table_rows; i++, before += acquired)
		lock_row_sum(&lock_table[i], &acquired, &contended);
	area = vmalloc(PAGE_SIZE);
	for (u32 i = 0; i < lock_table_rows; i++, after += acquired)
		lock_row_sum(&lock_table[i], &acquired, &contended);
	cr_assert_not_null(area);
	cr_assert_eq(after, before);
	vfree(area);
	lock_row_sum(&lock_table[3], &acquired, &contended);
	cr_assert_str_eq(lock_table[3].name, "lazy");
	for (u32 i = 0; i < lock_table_rows; i++, before -= acquired)
		lock_row_sum(&lock_table[i], &acquired, &contended);
	cr_assert_eq(-before, 1, "its vfree() takes one");
}
