/* SPDX-License-Identifier: MIT */
/*
 * paging.h: page tables that the boot makes.
 */
#ifndef GUEST_ARCH_PAGING_H
#define GUEST_ARCH_PAGING_H

#include "lib/types.h"

/* Maps the image with 4K pages, each section with its own permissions, and removes the identity map. */
void paging_map_image(void);

/*
 * Maps the RAM of memblock in the direct map. *next_table: GPA of the next free page for tables, in zeroed
 * RAM that is mapped; advanced past the pages used.
 */
void paging_map_ram(bool pages_1g, u64 *next_table);

/* Maps the pages of [gpa, gpa + size) that are not yet in the direct map, read-only, with 4K pages. */
void paging_map_module(u64 gpa, u64 size, u64 *next_table);

/* Sets the owner of the boot's table pages, and counts them. mem_map must be set. */
void paging_count_tables(u64 first_table, u64 next_table);

/* Maps the 2 MiB page of gpa into a fixed window; returns the address of gpa. No flush. */
void *paging_map_window(u64 gpa);

/* paging_map_window() with a second window, for the APIC's registers. */
void *paging_map_apic(u64 gpa);

/* Adds the identity map of the image, or removes it. No flush. */
void paging_map_identity(bool on);

/* Whether CPUID reports 1G pages. */
bool paging_cpu_has_1g(void);

#endif
