/* SPDX-License-Identifier: MIT */
/*
 * guest.h: the values of the guest's enums that claims carry as numbers. The unit tests compare them with
 * guest/mm/mm_types.h and guest/agent/variables.h.
 */
#ifndef VMM_VERIFY_GUEST_H
#define VMM_VERIFY_GUEST_H

/* struct page.owner */
enum guest_page_owner {
	GUEST_PAGE_NONE = 0,
	GUEST_PAGE_FREE = 1,
	GUEST_PAGE_TABLE = 2,
	GUEST_PAGE_SLAB = 3,
	GUEST_PAGE_VMALLOC = 4,
	GUEST_PAGE_HELD = 5,
};

#define GUEST_MAX_ORDER 10

/* vm_struct.flags */
#define GUEST_VM_READONLY 0x00020000

/* tlb_flush.cpu: not a flush but an unmapping by that CPU */
#define GUEST_FLUSH_UNMAP 0x80000000u

/* Indices of vm_stat */
enum guest_vm_stat {
	GUEST_NR_FREE_PAGES = 0,
	GUEST_NR_SLAB_PAGES = 1,
	GUEST_NR_PAGETABLE_PAGES = 2,
	GUEST_NR_VMALLOC_PAGES = 3,
	GUEST_NR_QUARANTINE_PAGES = 4,
	GUEST_NR_HELD_PAGES = 5,
};

/* Indices of claims.stats, the members of struct vmalloc_stats */
enum guest_stat {
	GUEST_STAT_ALLOCATIONS = 0,
	GUEST_STAT_FREES = 1,
	GUEST_STAT_PAGES_MAPPED = 3,
	GUEST_STAT_PAGES_UNMAPPED = 4,
};

/* agent_variable.state and .contents */
enum guest_variable_state { GUEST_VARIABLE_LIVE = 1 };
enum guest_contents { GUEST_CONTENTS_ZERO = 1, GUEST_CONTENTS_PATTERN = 2 };

#endif
