/* SPDX-License-Identifier: MIT */
#include "agent/variables.h"
#include "mm/mm_types.h"

struct agent_variable agent_variables[KVMAP_VARIABLES_MAX];
u32 agent_nr_variables;

struct agent_variable *variable_holding(u64 address)
{
	for (u32 i = 0; i < agent_nr_variables; i++) {
		struct agent_variable *variable = &agent_variables[i];

		if (variable->state == VARIABLE_LIVE &&
		    address - variable->address < ALIGN_UP(variable->size, PAGE_SIZE))
			return variable;
	}
	return NULL;
}
