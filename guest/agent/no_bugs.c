/* SPDX-License-Identifier: MIT */
#include "agent/operations.h"

__attribute__((weak)) u32 agent_bug(u32 number)
{
	(void)number;
	return KVMAP_REFUSED_UNKNOWN;
}
