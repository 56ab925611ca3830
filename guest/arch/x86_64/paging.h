/* SPDX-License-Identifier: MIT */
/*
 * paging.h: the tables that the boot makes: the image, the direct map, and no identity map.
 */
#ifndef GUEST_ARCH_PAGING_H
#define GUEST_ARCH_PAGING_H

#include "lib/types.h"

/* Maps the image by 4K pages, each section with its own rights, and drops the identity map. */
void paging_map_image(void);

/*
 * Maps the RAM of memblock in the direct map. Table pages are taken from *next_table, a GPA in zeroed RAM
 * that the boot's tables reach, which is moved on.
 */
void paging_map_ram(bool pages_1g, u64 *next_table);

/* Maps what of [gpa, gpa + size) is not yet in the direct map there, read-only, by 4K pages. */
void paging_map_module(u64 gpa, u64 size, u64 *next_table);

/* Claims the table pages of the boot: struct page and account. mem_map must stand. */
void paging_count_tables(u64 first_table, u64 next_table);

/* Maps the 2 MiB at gpa, whatever is there, in a window of their own. */
void *paging_map_window(u64 gpa);

/* The same in another window, for the APIC's registers. */
void *paging_map_apic(u64 gpa);

/* Maps the image at its GPA too, or no longer. No flush. */
void paging_map_identity(bool on);

/* Whether CPUID offers 1G pages. */
bool paging_cpu_has_1g(void);

#endif
