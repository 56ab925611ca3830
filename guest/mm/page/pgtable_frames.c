/* SPDX-License-Identifier: MIT */
/*
 * pgtable_frames.c: frames for page tables.
 */
#include "mm/arch.h"
#include "mm/page/frames.h"
#include "mm/percpu.h"

u32 pgtable_alloc(void)
{
	u32 pfn = frames_alloc_zeroed(PAGE_TABLE);

	if (pfn) {
		pfn_to_page(pfn)->area = 0; /* maps no vmap block */
		vm_stat_add(NR_PAGETABLE_PAGES, 1);
	}
	return pfn;
}

void pgtable_free(u32 pfn)
{
	vm_stat_add(NR_PAGETABLE_PAGES, -1);
	if (unlikely(log_is_on()))
		arch_log_frames(pfn, 1, false);
	frames_free(pfn);
}
