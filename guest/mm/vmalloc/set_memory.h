/* SPDX-License-Identifier: MIT */
/*
 * set_memory.h: the rights of an area's pages. Linux's functions, for whole areas of any kind: addr is where
 * the area begins, numpages how many it has.
 *
 * A new area may be read and written. What would be writable and executable at once is refused: an area is
 * made read-only before it is made executable, and not executable before it is made writable again. When one
 * of these returns, no CPU has a right any more that it took away; a right that it gave may reach other CPUs
 * with a fault that nobody notices. The direct map of the frames stays as it is.
 *
 * 0, or -1 when refused: vmalloc_status() says why, and nothing was changed.
 */
#ifndef GUEST_MM_VMALLOC_SET_MEMORY_H
#define GUEST_MM_VMALLOC_SET_MEMORY_H

int set_memory_ro(unsigned long addr, int numpages);
int set_memory_rw(unsigned long addr, int numpages);
int set_memory_x(unsigned long addr, int numpages);
int set_memory_nx(unsigned long addr, int numpages);

#endif
