/* SPDX-License-Identifier: MIT */
/*
 * set_memory.h: permissions of areas. Linux's functions, for whole areas of any kind only: addr is the start
 * of an area, numpages its number of pages.
 *
 * A new area is readable and writable. A change that would make it both writable and executable is refused.
 * When one of these returns, no TLB has a translation with a permission that was removed. An added permission
 * may reach other CPUs by a spurious fault, which the fault handler resolves. The direct map of the frames
 * does not change.
 *
 * Returns 0, or -1 if refused: vmalloc_status() has the reason, and nothing changed.
 */
#ifndef GUEST_MM_VMALLOC_SET_MEMORY_H
#define GUEST_MM_VMALLOC_SET_MEMORY_H

int set_memory_ro(unsigned long addr, int numpages);
int set_memory_rw(unsigned long addr, int numpages);
int set_memory_x(unsigned long addr, int numpages);
int set_memory_nx(unsigned long addr, int numpages);

#endif
