/* SPDX-License-Identifier: MIT */
/*
 * lookup.c: the page frame and the area of an address.
 */
#include "kvmap/layout.h"
#include "mm/arch.h"
#include "mm/page/frames.h"
#include "mm/vmalloc/vmap.h"

struct page *vmalloc_to_page(const void *addr)
{
	u64 gpa = is_vmalloc_addr(addr) ? arch_virt_to_phys((unsigned long)addr) : ~0ul;

	return gpa == ~0ul ? NULL : pfn_to_page((u32)(gpa >> PAGE_SHIFT));
}

struct vm_struct *find_vm_area(const void *addr)
{
	struct vmap_area *va;

	spin_lock(&vmap_area_lock);
	va = vmap_busy_find((unsigned long)addr);
	spin_unlock(&vmap_area_lock);
	return va && READ_ONCE(va->state) == VMAP_LIVE ? va->vm : NULL;
}
