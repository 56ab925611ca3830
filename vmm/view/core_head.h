/* SPDX-License-Identifier: MIT */
/*
 * core_head.h: the part of a core before the guest's memory. For core_*.c only.
 */
#ifndef VMM_VIEW_CORE_HEAD_H
#define VMM_VIEW_CORE_HEAD_H

#include "view/core.h"

/* ELF header, program headers and notes in one buffer, whose size is a multiple of a page. In the file the
 * regions of the view follow it, in order. */
struct core_head {
	uint8_t *bytes;
	size_t size;
	size_t used;
};

/* 0, or -1 if out of memory. head->bytes is to be freed. */
int core_head_make(struct core_head *head, const struct view *view, const struct core_addresses *addresses,
		   const char *program);

#endif
