/* SPDX-License-Identifier: MIT */
#include "paging/memory_type.h"

const char *memory_type(uint64_t pat, unsigned int pat_index)
{
	switch (pat >> 8 * (pat_index & 7) & 0xff) {
	case 0: return "UC";
	case 1: return "WC";
	case 4: return "WT";
	case 5: return "WP";
	case 6: return "WB";
	case 7: return "UC-";
	}
	return "reserved";
}

uint64_t memory_type_pat(const struct view_cpu *cpu)
{
	return cpu->has_pat ? cpu->pat : PAT_AT_RESET;
}
