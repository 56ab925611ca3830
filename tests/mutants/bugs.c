/* SPDX-License-Identifier: MIT */
/*
 * bugs.c: the bugs of kvmap/bugs.h, linked only into the guest of these tests. Each function breaks one
 * property of the memory manager and nothing else. The host must find it by the invariant in ./expected.
 */
#include "../rbtree_walk.h"
#include "bugs_parts.h"
#include "agent/operations.h"
#include "agent/variables.h"
#include "arch/sections.h"
#include "arch/x86_64/event_log.h"
#include "arch/x86_64/pgtable.h"
#include "arch/x86_64/smp.h"
#include "arch/x86_64/tlb.h"
#include "kvmap/bugs.h"
#include "kvmap/layout.h"
#include "kvmap/ports.h"
#include "lib/platform.h"
#include "mm/arch.h"
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

bool __wrap_vmap_purge_all(u32 *areas_out);
bool __real_vmap_purge_all(u32 *areas_out);

u64 __wrap_arch_unmap(unsigned long va, u32 nr, u32 table);
u64 __real_arch_unmap(unsigned long va, u32 nr, u32 table);

u32 __wrap_frames_free_chain(u32 first, u32 nr, u64 stamp);
u32 __real_frames_free_chain(u32 first, u32 nr, u64 stamp);

static bool skip_next_flush, skip_next_cpu, free_next_tables;
static bool end_next_round_early, shorten_next_flush, skip_next_purge, forge_stamps, forge_frames;

bool __wrap_cpu_defer_flush(struct cpu *cpu)
{
	if (!skip_next_cpu)
		return __real_cpu_defer_flush(cpu);
	skip_next_cpu = false;
	return true;
}

void __wrap_arch_flush_ranges(const struct tlb_range *ranges, u32 nr)
{
	/* All but the last page, of which the caller must know nothing. */
	static struct tlb_range shorter;

	if (skip_next_flush) {
		skip_next_flush = false;
		return;
	}
	if (end_next_round_early && log_is_on()) {
		end_next_round_early = false;
		log_round_done(log_round(ranges, nr));
	}
	if (shorten_next_flush && nr == 1) {
		shorten_next_flush = false;
		shorter = (struct tlb_range){ ranges->start, ranges->end - PAGE_SIZE };
		ranges = &shorter;
	}
	__real_arch_flush_ranges(ranges, nr);
}

/* Returns at once, as if nothing waited for a flush. */
bool __wrap_vmap_purge_all(u32 *areas_out)
{
	if (!skip_next_purge)
		return __real_vmap_purge_all(areas_out);
	skip_next_purge = false;
	*areas_out = 0;
	return false;
}

/* The stamp of an unmapping says that the range was never mapped. */
u64 __wrap_arch_unmap(unsigned long va, u32 nr, u32 table)
{
	u64 stamp = __real_arch_unmap(va, nr, table);

	return forge_stamps ? 0 : stamp;
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

struct vmap_area *live_area(unsigned int n)
{
	struct rb_node *node = rb_first(&vmap_area_root);

	while (node && n--)
		node = rb_next(node);
	return node ? container_of(node, struct vmap_area, rb_node) : NULL;
}

volatile u64 *pte_of(unsigned long va)
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

u32 guard_mapped(void)
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
u32 shared_frame(void)
{
	struct vmap_area *from = live_area(0), *to = live_area(1);
	u32 *link = last_link(to);
	u32 own = *link;

	*link = *last_link(from);
	zones_free(own);
	return pte_write(vmap_mapped_end(to) - PAGE_SIZE, (u64)*link << PAGE_SHIFT | _PAGE_KERNEL);
}

u32 lost_frame(void)
{
	return frames_alloc(0, PAGE_VMALLOC) ? KVMAP_OK : KVMAP_REFUSED_NO_MEMORY;
}

/*
 * Frees the last frame of an area without unmapping it. The script leaves the free lists empty, so that the
 * list's link does not lengthen the chain, which would be a second bug.
 */
u32 free_and_mapped(void)
{
	u32 pfn = *last_link(live_area(0));

	zones_free(pfn);
	return pfn_to_page(pfn)->next ? KVMAP_REFUSED_NOT_AN_AREA : KVMAP_OK;
}

u32 writable_text(void)
{
	volatile u64 *pte = pte_of((unsigned long)text_start);

	return pte ? pte_write((unsigned long)text_start, *pte | _PAGE_RW) : KVMAP_REFUSED_NOT_AN_AREA;
}

u32 frame_order(void)
{
	unsigned long va = live_area(0)->va_start;
	u64 first = *pte_of(va);

	pte_write(va, *pte_of(va + PAGE_SIZE));
	return pte_write(va + PAGE_SIZE, first);
}

/* After the last area, in free space. */
u32 stray_mapping(void)
{
	unsigned int n = 0;

	while (live_area(n + 1))
		n++;
	return pte_write(live_area(n)->va_end + 4 * PAGE_SIZE, SOME_FRAME | _PAGE_KERNEL);
}

u32 tree_order(void)
{
	struct rb_node *root = vmap_area_root.rb_node, *left = root->rb_left;

	root->rb_left = root->rb_right;
	root->rb_right = left;
	return left ? KVMAP_OK : KVMAP_REFUSED_NOT_AN_AREA;
}

/* The first page of an area maps the page table that contains its PTE. */
u32 table_as_data(void)
{
	unsigned long va = live_area(0)->va_start;

	return pte_write(va, ALIGN_DOWN(__pa((const void *)pte_of(va)), PAGE_SIZE) | _PAGE_KERNEL);
}

u32 account_off(void)
{
	vm_stat_add(NR_VMALLOC_PAGES, 1);
	return KVMAP_OK;
}

u32 missing_flush(void)
{
	skip_next_flush = true;
	return KVMAP_OK;
}

/* The next shootdown flushes this CPU, but one other CPU gets neither an IPI nor a deferred flush. */
u32 missing_ipi(void)
{
	skip_next_cpu = true;
	return KVMAP_OK;
}

u32 table_at_once(void)
{
	free_next_tables = true;
	return KVMAP_OK;
}

/* The CPU claims to be idle while it is here. */
u32 idle_at_work(void)
{
	struct cpu *cpu = this_cpu();

	cpu->state = CPU_IDLE;
	doorbell_ring(KVMAP_DOORBELL_VERIFY);
	cpu->state = CPU_RUNNING;
	return KVMAP_OK;
}

/* Allocates a buddy block as alloc_pages() does, counts it, and loses it. */
u32 lost_block(void)
{
	if (!frames_alloc(0, PAGE_KMALLOC))
		return KVMAP_REFUSED_NO_MEMORY;
	vm_stat_add(NR_KMALLOC_PAGES, 1);
	return KVMAP_OK;
}

/* A stray write to a frame that was never allocated. */
u32 fresh_written(void)
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
u32 requested_size(void)
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

/* The first 2M leaf of an area maps low memory. */
u32 huge_leaf(void)
{
	volatile u64 *entry = pmd_make(live_area(0)->va_start);

	*entry &= ~PTE_PFN_MASK;
	return KVMAP_OK;
}

/* Frames keep their old stamps. */
u32 __wrap_frames_free_chain(u32 first, u32 nr, u64 stamp)
{
	return __real_frames_free_chain(first, nr, forge_frames ? 0 : stamp);
}

/* No flush the next time, and the stamps of the frames say that they never were mapped. */
u32 forged_frames(void)
{
	forge_frames = true;
	skip_next_flush = true;
	return KVMAP_OK;
}

/* ---- of the event log: all but the first are found only with it ---- */

/* An entry gets another frame. When it is cleared nothing of that is left but its old value in the log. */
u32 unlogged_change(void)
{
	unsigned long va = live_area(0)->va_start;
	u64 entry = *pte_of(va);

	return pte_write(va, (entry & ~PTE_PFN_MASK) | SOME_FRAME);
}

/* A right goes without a word, and without a flush. */
u32 right_taken(void)
{
	unsigned long va = live_area(0)->va_start;

	return pte_write(va, *pte_of(va) & ~(u64)_PAGE_RW);
}

/* A record of a store that was not done. */
u32 lying_log(void)
{
	unsigned long va = live_area(0)->va_start;

	if (log_is_on())
		log_pair(va | KVMAP_LOG_LEVEL(1) | KVMAP_LOG_STORE, *pte_of(va), 0);
	return KVMAP_OK;
}

/* A record that is not in the log. */
u32 lost_record(void)
{
	__atomic_add_fetch(&event_log_seq, 1, __ATOMIC_SEQ_CST);
	return KVMAP_OK;
}

/* The next round is complete, by the log, before any CPU has flushed. */
u32 early_round(void)
{
	end_next_round_early = true;
	return KVMAP_OK;
}

/* The next flush of a range leaves out its last page. */
u32 short_flush(void)
{
	shorten_next_flush = true;
	return KVMAP_OK;
}

/* No flush from now on, and no stamp that says so. */
u32 forged_stamps(void)
{
	forge_stamps = true;
	skip_next_flush = true;
	return KVMAP_OK;
}

/* A right is taken away on this CPU alone, whatever others hold: the flush is that of one CPU. */
u32 other_cpu(void)
{
	unsigned long va = live_area(0)->va_start;
	volatile u64 *pte = pte_of(va);
	struct tlb_range range = { va, va + PAGE_SIZE };
	u64 old = *pte;

	*pte = old & ~(u64)_PAGE_RW;
	if (log_is_on())
		log_pair(va | KVMAP_LOG_LEVEL(1) | KVMAP_LOG_STORE, old, *pte);
	tlb_flush_local(&range, 1);
	return KVMAP_OK;
}

/* The log has a flush that was not executed. */
u32 unexecuted_flush(void)
{
	unsigned long va = live_area(0)->va_start;

	if (log_is_on())
		log_flush(event_logs[arch_cpu()].log, READ_ONCE(event_log_seq), va, va + PAGE_SIZE);
	return KVMAP_OK;
}

/* The next purge flushes nothing. */
u32 empty_purge(void)
{
	skip_next_purge = true;
	return KVMAP_OK;
}

/* Flips one bit of the second frame of an area. */
u32 damaged_bytes(void)
{
	u32 pfn = pfn_to_page(live_area(0)->vm->pages)->next;
	char *bytes = __va((u64)pfn << PAGE_SHIFT);

	bytes[0x345] ^= 0x10;
	return KVMAP_OK;
}

u32 agent_bug(u32 number)
{
#define BUG(function, number, name) [number] = function,
	static u32 (*const bugs[])(void) = { KVMAP_BUGS(BUG) };

	if (number >= ARRAY_SIZE(bugs) || !bugs[number] || !live_area(0))
		return KVMAP_REFUSED_UNKNOWN;
	return bugs[number]();
}
