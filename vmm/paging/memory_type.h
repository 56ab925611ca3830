/* SPDX-License-Identifier: MIT */
/*
 * memory_type.h: the memory type that an entry selects through the PAT register (SDM vol. 3A 12.12, APM vol.
 * 2 7.8). The effective memory type can be stricter: MTRRs and the second stage are not considered.
 */
#ifndef VMM_PAGING_MEMORY_TYPE_H
#define VMM_PAGING_MEMORY_TYPE_H

#include "view/view.h"

/* IA32_PAT after reset: WB, WT, UC-, UC, twice. */
#define PAT_AT_RESET 0x0007040600070406ull

/* "WB", "WT", "WP", "WC", "UC-", "UC" or "reserved". pat_index is that of struct walk_run, 0 to 7. */
const char *memory_type(uint64_t pat, unsigned int pat_index);

/* The vCPU's PAT register; PAT_AT_RESET if the view does not have it. */
uint64_t memory_type_pat(const struct view_cpu *cpu);

#endif
