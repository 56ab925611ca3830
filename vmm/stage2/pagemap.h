/* SPDX-License-Identifier: MIT */
/*
 * pagemap.h: a word of /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst). For the files of this
 * room.
 */
#ifndef VMM_STAGE2_PAGEMAP_H
#define VMM_STAGE2_PAGEMAP_H

#include <stdint.h>

#define PAGEMAP_PRESENT ((uint64_t)1 << 63)
#define PAGEMAP_FRAME   ((uint64_t)0x007fffffffffffff) /* 0 where the reader may not know it */

#endif
