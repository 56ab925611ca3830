/* SPDX-License-Identifier: MIT */
/*
 * op_areas.c: operations that make and free areas.
 */
#include "agent/operations.h"
#include "agent/variables.h"
#include "mm/page/frames.h"
#include "mm/interrupt.h"
#include "mm/vmalloc/vmalloc.h"

static u32 area_made(struct operation *operation, void *area, u32 contents)
{
	variable_set(operation, area, contents);
	return area ? KVMAP_OK : vmalloc_status();
}

u32 op_vmalloc(struct operation *operation)
{
	return area_made(operation, vmalloc(operation->operand[0]), CONTENTS_UNKNOWN);
}

u32 op_vzalloc(struct operation *operation)
{
	return area_made(operation, vzalloc(operation->operand[0]), CONTENTS_ZERO);
}

u32 op_vfree(struct operation *operation)
{
	struct agent_variable *variable = variable_take(operation->operand[0]);

	operation->address = operation->operand[0];
	vfree((void *)operation->address);
	return variable_settle(variable, vmalloc_status());
}

u32 op_vfree_atomic(struct operation *operation)
{
	struct agent_variable *variable = variable_take(operation->operand[0]);

	operation->address = operation->operand[0];
	vfree_atomic((void *)operation->address);
	return variable_settle(variable, vmalloc_status());
}

u32 op_fragment(struct operation *operation)
{
	operation->size = operation->operand[1];
	operation->result =
		frames_fragment((u32)operation->operand[0], operation->size, operation->operand[2]);
	return KVMAP_OK;
}

u32 op_purge(struct operation *operation)
{
	if (in_interrupt())
		return KVMAP_REFUSED_INTERRUPT;
	operation->result = vmalloc_purge();
	return KVMAP_OK;
}
