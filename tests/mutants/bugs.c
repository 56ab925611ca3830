/* SPDX-License-Identifier: MIT */
/*
 * bugs.c: the bugs of kvmap/bugs.h, linked only into the guest of these tests. Each function breaks one
 * property of the memory manager and nothing else. The host must find it by the invariant in ./expected.
 */
#include "../rbtree_walk.h"
#include "agent/operations.h"
#include "agent/variables.h"
#include "arch/sections.h"
#include "arch/x86_64/pgtable.h"
#include "arch/x86_64/smp.h"
#include "kvmap/bugs.h"
#include "kvmap/layout.h"
#include "kvmap/ports.h"
#include "lib/platform.h"
#include "mm/arch.h"
#include "mm/interrupt.h"
#include "mm/locks.h"
#include "mm/page/buddy.h"
#include "mm/vmalloc/vmap.h"

/* A frame below KVMAP_LOW_RESERVED, in a reserved region, without an owner. */
#define SOME_FRAME 0x1000ul

void __wrap_arch_flush_ranges(const struct tlb_range *ranges, u32 nr);
void __real_arch_flush_ranges(const struct tlb_range *ranges, u32 nr);

bool __wrap_cpu_defer_flush(struct cpu *cpu);
bool __real_cpu_defer_flush(struct cpu *cpu);

int __wrap_arch_map_huge(unsigned long va, u32 first, u32 nr, enum pgprot prot, u32 *cut_out);
int __real_arch_map_huge(unsigned long va, u32 first, u32 nr, enum pgprot prot, u32 *cut_out);

void __wrap_shootdown_handle(void);
void __real_shootdown_handle(void);

static bool skip_next_flush, skip_next_cpu, free_next_tables;

bool __wrap_cpu_defer_flush(struct cpu *cpu)
{
	if (!skip_next_cpu)
		return __real_cpu_defer_flush(cpu);
	skip_next_cpu = false;
	return true;
}

void __wrap_arch_flush_ranges(const struct tlb_range *ranges, u32 nr)
{
	if (skip_next_flush)
		skip_next_flush = false;
	else
		__real_arch_flush_ranges(ranges, nr);
}

/* Frees page tables that leaves have replaced at once, without the flush that must come first. */
int __wrap_arch_map_huge(unsigned long va, u32 first, u32 nr, enum pgprot prot, u32 *cut_out)
{
	int failed = __real_arch_map_huge(va, first, nr, prot, cut_out);

	while (!failed && free_next_tables && *cut_out) {
		u32 table = *cut_out;

		*cut_out = pfn_to_page(table)->next;
		pgtable_free(table);
	}
	free_next_tables = false;
	return failed;
}

/* Live area number n by address, or NULL. */
static struct vmap_area *live_area(unsigned int n)
{
	struct rb_node *node = rb_first(&vmap_area_root);

	while (node && n--)
		node = rb_next(node);
	return node ? container_of(node, struct vmap_area, rb_node) : NULL;
}

/* The PTE of an address, or NULL without its page tables. */
static volatile u64 *pte_of(unsigned long va)
{
	u64 *table = init_top_pgt;
	unsigned int shift;

	for (shift = PGD_SHIFT; shift > PTE_SHIFT; shift -= PGD_SHIFT - PUD_SHIFT) {
		u64 entry = table[pt_index(va, shift)];

		if (!(entry & _PAGE_PRESENT) || (shift < PGD_SHIFT && entry & _PAGE_PSE))
			return NULL;
		table = __va(entry & PTE_PFN_MASK);
	}
	return &table[pt_index(va, PTE_SHIFT)];
}

static u32 pte_write(unsigned long va, u64 value)
{
	volatile u64 *pte = pte_of(va);

	if (!pte)
		return KVMAP_REFUSED_NOT_AN_AREA;
	*pte = value;
	return KVMAP_OK;
}

static u32 guard_mapped(void)
{
	return pte_write(vmap_mapped_end(live_area(0)), SOME_FRAME | _PAGE_KERNEL);
}

/* The link to the last frame of the area's chain. */
static u32 *last_link(struct vmap_area *va)
{
	u32 *link = &va->vm->pages;

	while (pfn_to_page(*link)->next)
		link = &pfn_to_page(*link)->next;
	return link;
}

/* The last page of the second area maps the last frame of the first one; its own frame is freed. */
static u32 shared_frame(void)
{
	struct vmap_area *from = live_area(0), *to = live_area(1);
	u32 *link = last_link(to);
	u32 own = *link;

	*link = *last_link(from);
	zones_free(own);
	return pte_write(vmap_mapped_end(to) - PAGE_SIZE, (u64)*link << PAGE_SHIFT | _PAGE_KERNEL);
}

static u32 lost_frame(void)
{
	return frames_alloc(0, PAGE_VMALLOC) ? KVMAP_OK : KVMAP_REFUSED_NO_MEMORY;
}

/*
 * Frees the last frame of an area without unmapping it. The script leaves the free lists empty, so that the
 * list's link does not lengthen the chain, which would be a second bug.
 */
static u32 free_and_mapped(void)
{
	u32 pfn = *last_link(live_area(0));

	zones_free(pfn);
	return pfn_to_page(pfn)->next ? KVMAP_REFUSED_NOT_AN_AREA : KVMAP_OK;
}

static u32 writable_text(void)
{
	volatile u64 *pte = pte_of((unsigned long)text_start);

	return pte ? pte_write((unsigned long)text_start, *pte | _PAGE_RW) : KVMAP_REFUSED_NOT_AN_AREA;
}

static u32 frame_order(void)
{
	unsigned long va = live_area(0)->va_start;
	u64 first = *pte_of(va);

	pte_write(va, *pte_of(va + PAGE_SIZE));
	return pte_write(va + PAGE_SIZE, first);
}

/* After the last area, in free space. */
static u32 stray_mapping(void)
{
	unsigned int n = 0;

	while (live_area(n + 1))
		n++;
	return pte_write(live_area(n)->va_end + 4 * PAGE_SIZE, SOME_FRAME | _PAGE_KERNEL);
}

static u32 tree_order(void)
{
	struct rb_node *root = vmap_area_root.rb_node, *left = root->rb_left;

	root->rb_left = root->rb_right;
	root->rb_right = left;
	return left ? KVMAP_OK : KVMAP_REFUSED_NOT_AN_AREA;
}

/* The first page of an area maps the page table that contains its PTE. */
static u32 table_as_data(void)
{
	unsigned long va = live_area(0)->va_start;

	return pte_write(va, ALIGN_DOWN(__pa((const void *)pte_of(va)), PAGE_SIZE) | _PAGE_KERNEL);
}

static u32 account_off(void)
{
	vm_stat_add(NR_VMALLOC_PAGES, 1);
	return KVMAP_OK;
}

static u32 missing_flush(void)
{
	skip_next_flush = true;
	return KVMAP_OK;
}

/* The next shootdown flushes this CPU, but one other CPU gets neither an IPI nor a deferred flush. */
static u32 missing_ipi(void)
{
	skip_next_cpu = true;
	return KVMAP_OK;
}

static u32 table_at_once(void)
{
	free_next_tables = true;
	return KVMAP_OK;
}

/* The CPU claims to be idle while it is here. */
static u32 idle_at_work(void)
{
	struct cpu *cpu = this_cpu();

	cpu->state = CPU_IDLE;
	doorbell_ring(KVMAP_DOORBELL_VERIFY);
	cpu->state = CPU_RUNNING;
	return KVMAP_OK;
}

/* Allocates a buddy block as alloc_pages() does, counts it, and loses it. */
static u32 lost_block(void)
{
	if (!frames_alloc(0, PAGE_KMALLOC))
		return KVMAP_REFUSED_NO_MEMORY;
	vm_stat_add(NR_KMALLOC_PAGES, 1);
	return KVMAP_OK;
}

/* A stray write to a frame that was never allocated. */
static u32 fresh_written(void)
{
	for (u32 i = 0; i < nr_zones; i++) {
		u64 *frame = __va((u64)zones[i].fresh_start << PAGE_SHIFT);

		if (zones[i].fresh_start == zones[i].fresh_end)
			continue;
		frame[8] = 1;
		return KVMAP_OK;
	}
	return KVMAP_REFUSED_NO_MEMORY;
}

/* The recorded size of the script's first object of 100 bytes is another. */
static u32 requested_size(void)
{
	for (u32 i = 0; i < agent_nr_variables; i++) {
		const struct agent_variable *variable = &agent_variables[i];

		if (variable->state != VARIABLE_LIVE || variable->size != 100)
			continue;
		((u8 *)variable->address)[127]++;
		return KVMAP_OK;
	}
	return KVMAP_REFUSED_NOT_AN_AREA;
}

/* ---- with slab_debug ---- */

/* The first free object of kmalloc(), and its cache. */
static char *free_object(struct kmem_cache **cache_out)
{
	for (u32 i = 1; i <= KMALLOC_CLASSES; i++) {
		struct kmem_cache *cache = kmem_caches[i];

		if (!cache || !cache->partial)
			continue;
		*cache_out = cache;
		return (char *)__va((u64)cache->partial << PAGE_SHIFT) +
		       (pfn_to_page(cache->partial)->freelist - 1) * 8;
	}
	return NULL;
}

/* A write to the first word of a free object. */
static u32 freed_written(void)
{
	struct kmem_cache *cache;
	char *object = free_object(&cache);

	if (!object)
		return KVMAP_REFUSED_NOT_AN_AREA;
	*(u64 *)(void *)object = 0;
	return KVMAP_OK;
}

/* The record of the script's first object says that it is free. */
static u32 object_record(void)
{
	const char *object = (const char *)agent_variables[1].address;
	const struct kmem_cache *cache = kmem_caches[pfn_to_page((u32)(__pa(object) >> PAGE_SHIFT))->cache];

	*(u64 *)(void *)(object + cache->link + KMALLOC_RECORD_OFFSET) = KMALLOC_RECORD(0);
	return KVMAP_OK;
}

/* A write to the word after the last object of a slab. */
static u32 second_half(void)
{
	struct kmem_cache *cache;

	if (!free_object(&cache))
		return KVMAP_REFUSED_NOT_AN_AREA;
	((u64 *)__va((u64)cache->partial << PAGE_SHIFT))[(cache->last + cache->object_size) / 8] = 0;
	return KVMAP_OK;
}

/* A free list ends before its count. */
static u32 free_link(void)
{
	struct kmem_cache *cache;
	char *object = free_object(&cache);

	if (!object)
		return KVMAP_REFUSED_NOT_AN_AREA;
	*(u64 *)(void *)(object + cache->link) = 0;
	return KVMAP_OK;
}

/* A write to the last byte of the script's first block of kmalloc(). */
static u32 block_slack(void)
{
	char *block = (char *)agent_variables[1].address;

	block[(PAGE_SIZE << pfn_to_page((u32)(__pa(block) >> PAGE_SHIFT))->order) - 1]++;
	return KVMAP_OK;
}

/* The first 2M leaf of an area maps low memory. */
static u32 huge_leaf(void)
{
	volatile u64 *entry = pmd_make(live_area(0)->va_start);

	*entry &= ~PTE_PFN_MASK;
	return KVMAP_OK;
}

/* Flips one bit of the second frame of an area. */
static u32 damaged_bytes(void)
{
	u32 pfn = pfn_to_page(live_area(0)->vm->pages)->next;
	char *bytes = __va((u64)pfn << PAGE_SHIFT);

	bytes[0x345] ^= 0x10;
	return KVMAP_OK;
}

/* Takes two locks against the order of the table. */
static u32 lock_order(void)
{
	spin_lock(&free_vmap_area_lock);
	spin_lock(&vmap_area_lock);
	spin_unlock(&vmap_area_lock);
	spin_unlock(&free_vmap_area_lock);
	return KVMAP_OK;
}

/* Searches the busy tree without its lock. */
static u32 lock_left_out(void)
{
	return vmap_busy_find(live_area(0)->va_start) ? KVMAP_OK : KVMAP_REFUSED_NOT_AN_AREA;
}

static bool lock_in_next_flush;

/* The handler of the next shootdown takes a lock that is otherwise taken with interrupts on. */
static u32 lock_in_interrupt(void)
{
	lock_in_next_flush = true;
	return KVMAP_OK;
}

void __wrap_shootdown_handle(void)
{
	if (in_interrupt() && lock_in_next_flush) {
		lock_in_next_flush = false;
		spin_lock(&vmap_area_lock);
		spin_unlock(&vmap_area_lock);
	}
	__real_shootdown_handle();
}

u32 agent_bug(u32 number)
{
#define BUG(function, number, name) [number] = function,
	static u32 (*const bugs[])(void) = { KVMAP_BUGS(BUG) };

	if (number >= ARRAY_SIZE(bugs) || !bugs[number] || !live_area(0))
		return KVMAP_REFUSED_UNKNOWN;
	return bugs[number]();
}
