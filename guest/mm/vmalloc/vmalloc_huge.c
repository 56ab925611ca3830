/* SPDX-License-Identifier: MIT */
/*
 * vmalloc_huge.c: areas that begin at a multiple of 2M with buddy blocks of 2M, each mapped by one leaf, as
 * long as there are free ones; the rest is single frames. The area's chain has the head of each buddy block,
 * whose struct page has the order, followed by the single frames.
 */
#include "mm/page/watermark.h"
#include "mm/vmalloc/vmap.h"
#include "mm/warn.h"

#define HUGE_SIZE (PAGE_SIZE << VMAP_HUGE_ORDER)

/*
 * Allocates buddy blocks for the multiples of 2M in nr pages, as many as are free; returns the number of
 * pages. *end_out: where to continue the chain.
 */
static u32 take_huge_blocks(u32 nr, gfp_t gfp, u32 *first, u32 **end_out)
{
	u32 taken = 0, pfn;

	*end_out = first;
	for (; nr - taken >= VMAP_HUGE_PAGES; taken += VMAP_HUGE_PAGES) {
		pfn = frames_alloc_gfp(gfp, VMAP_HUGE_ORDER, PAGE_VMALLOC);
		if (!pfn)
			break;
		**end_out = pfn;
		*end_out = &pfn_to_page(pfn)->next;
		**end_out = 0;
	}
	return taken;
}

/* Allocates nr frames, as buddy blocks first; 0 without memory. */
static u32 take_frames(u32 nr, gfp_t gfp)
{
	u32 first = 0, *end, taken = take_huge_blocks(nr, gfp, &first, &end);

	if (taken == nr)
		return first;
	*end = frames_alloc_chain_gfp(gfp, nr - taken, PAGE_VMALLOC);
	if (*end)
		return first;
	if (taken)
		frames_free_blocks(first, &taken, 0);
	return 0;
}

/* Flushes the area, and frees the chain of page tables that its leaves have replaced. */
static void free_cut_tables(const struct vmap_area *va, u32 table)
{
	if (!table)
		return;
	vmap_flush(va->va_start, vmap_mapped_end(va));
	while (table) {
		u32 next = pfn_to_page(table)->next;

		pgtable_free(table);
		table = next;
	}
}

static u32 populate(struct vmap_area *va, u32 nr, gfp_t gfp)
{
	u32 first = take_frames(nr, gfp), cut;

	if (!first)
		return KVMAP_REFUSED_NO_MEMORY;
	if (arch_map_huge(va->va_start, first, nr, PGPROT_READWRITE, &cut)) {
		frames_free_blocks(first, &nr, 0);
		return KVMAP_REFUSED_NO_MEMORY;
	}
	va->vm->pages = first;
	va->vm->nr_pages = nr;
	vmap_area_refer(va);
	free_cut_tables(va, cut);
	return KVMAP_OK;
}

static u32 create(unsigned long size, gfp_t gfp, const void *caller, struct vmap_area **out)
{
	u32 nr = area_pages(size), status;
	struct vmap_area *va = vmap_range_take_aligned(nr, HUGE_SIZE, &status);

	if (!va)
		return status;
	va->vm->requested_size = size;
	va->vm->flags = VM_ALLOC | VM_HUGE | (gfp & __GFP_ZERO ? VM_ZERO : 0);
	va->vm->caller = caller;
	va->vm->gfp = gfp;
	status = populate(va, nr, gfp);
	if (status) {
		vmap_range_undo(va);
		return status;
	}
	vmap_range_live(va);
	*out = va;
	return KVMAP_OK;
}

/* Further attempts: with the reserve, then with reclaimed memory and ranges. */
static u32 create_again(unsigned long size, gfp_t gfp, const void *caller, struct vmap_area **out, u32 status)
{
	enum reclaim_step step = RECLAIM_SOME;

	if (reserve_open(gfp)) {
		status = create(size, gfp, caller, out);
		reserve_close();
	}
	while (status && gfp_may_reclaim(gfp) && vmalloc_reclaim(&step, status, area_pages(size)))
		status = create(size, gfp, caller, out);
	return status;
}

void *vmalloc_huge(unsigned long size, gfp_t gfp)
{
	struct vmalloc_stats *stats = &this_cpu_cache()->stats;
	const void *caller = __builtin_return_address(0);
	u32 status = vmalloc_gfp_status(gfp);
	struct vmap_area *va;

	if (vmalloc_refuse_in_interrupt(NULL, caller))
		return NULL;
	if (!status && size < HUGE_SIZE)
		return vmalloc_area(size, gfp, 0, caller);
	if (!status)
		status = size > vmalloc_largest ? KVMAP_REFUSED_TOO_LARGE : create(size, gfp, caller, &va);
	if (status == KVMAP_REFUSED_NO_MEMORY || status == KVMAP_REFUSED_NO_SPACE)
		status = create_again(size, gfp, caller, &va, status);
	if (status) {
		vmalloc_refuse_request(status, size, gfp, NULL, caller);
		return NULL;
	}
	vm_stat_add(NR_VMALLOC_PAGES, va->vm->nr_pages);
	stats->allocations++;
	stats->pages_mapped += va->vm->nr_pages;
	vmalloc_done();
	return va->vm->addr;
}
