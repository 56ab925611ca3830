/* SPDX-License-Identifier: MIT */
#include "paging/memory_type.h"

const char *memory_type(uint64_t pat, unsigned int pat_index)
{
	static const char *const names[256] = {
		[0] = "UC", [1] = "WC", [4] = "WT", [5] = "WP", [6] = "WB", [7] = "UC-",
	};
	const char *name = names[pat >> 8 * (pat_index & 7) & 0xff];

	return name ? name : "reserved";
}

uint64_t memory_type_pat(const struct view_cpu *cpu)
{
	return cpu->has_pat ? cpu->pat : PAT_AT_RESET;
}
