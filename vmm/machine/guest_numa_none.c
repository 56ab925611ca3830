/* SPDX-License-Identifier: MIT */
/*
 * guest_numa_none.c: replaces guest_numa.c in a build without libnuma.
 */
#include "machine/guest_numa.h"

unsigned int guest_numa_bind(const struct guest_memory *memory, unsigned int nodes, const char **why_not_out)
{
	(void)memory;
	(void)nodes;
	*why_not_out = "kvmap was built without libnuma";
	return 0;
}
