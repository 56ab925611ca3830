/* SPDX-License-Identifier: MIT */
/*
 * pte.h: a paging-structure entry as text. Private to vmm/report.
 */
#ifndef VMM_REPORT_PTE_H
#define VMM_REPORT_PTE_H

#include "paging/walk.h"

/* "PML4" ... "PT". */
const char *entry_level_name(unsigned int level);

/*
 * "P W A D AVL 9 NX -> page 0x5000" (SDM vol. 3A 4.5, tables 4-15 to 4-20). keys: bits 62:59 of a page's
 * entry are a protection key, not bits that the processor ignores. Returns out; 160 bytes are enough.
 */
const char *entry_text(const struct walk_level *level, bool keys, char *out, size_t size);

/* Why the entry's reserved bits are reserved: "address bits above the 46 that there are". */
const char *entry_reserved_text(const struct walk_level *level, const struct walk_mode *mode, char *out,
				size_t size);

#endif
