/* SPDX-License-Identifier: MIT */
#include "agent/operations.h"

__attribute__((weak)) u32 agent_fault(u32 number)
{
	(void)number;
	return KVMAP_REFUSED_UNKNOWN;
}
