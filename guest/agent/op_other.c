/* SPDX-License-Identifier: MIT */
/*
 * op_other.c: operations that do not concern memory.
 */
#include "agent/agent.h"
#include "agent/operations.h"
#include "arch/machine.h"
#include "kvmap/ports.h"
#include "lib/platform.h"

u32 op_verify(struct operation *operation)
{
	(void)operation;
	doorbell_ring(KVMAP_DOORBELL_VERIFY);
	return KVMAP_OK;
}

u32 op_show(struct operation *operation)
{
	operation->address = operation->operand[1];
	doorbell_ring(KVMAP_DOORBELL_SHOW);
	return KVMAP_OK;
}

u32 op_parallel(struct operation *operation)
{
	operation->result = operation->operand[0];
	return operation->result > operations_after(operation->script) ? KVMAP_REFUSED_UNKNOWN : KVMAP_OK;
}

u32 op_print(struct operation *operation)
{
	if (operation->operand[0] >= agent.strings_size)
		return KVMAP_REFUSED_UNKNOWN;
	if (operation->script->operand[1].base != KVMAP_BASE_NONE)
		operation->result = operation->address = operation->operand[1];
	return KVMAP_OK;
}

u32 op_crash(struct operation *operation)
{
	machine_crash((u32)operation->operand[0]);
	return KVMAP_REFUSED_UNKNOWN;
}

u32 op_bug(struct operation *operation)
{
	return agent_bug((u32)operation->operand[0]);
}
