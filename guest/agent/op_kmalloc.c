/* SPDX-License-Identifier: MIT */
/*
 * op_kmalloc.c: operations on physically contiguous memory.
 */
#include "agent/operations.h"
#include "agent/variables.h"
#include "mm/slab/kmalloc.h"

static u32 object_made(struct operation *operation, void *object, u32 contents)
{
	variable_set(operation, object, contents);
	return object ? KVMAP_OK : kmalloc_status();
}

u32 op_kmalloc(struct operation *operation)
{
	gfp_t gfp = (gfp_t)operation->operand[1];

	return object_made(operation, kmalloc(operation->operand[0], gfp),
			   gfp & __GFP_ZERO ? CONTENTS_ZERO : CONTENTS_UNKNOWN);
}

u32 op_kzalloc(struct operation *operation)
{
	return object_made(operation, kzalloc(operation->operand[0], (gfp_t)operation->operand[1]),
			   CONTENTS_ZERO);
}

u32 op_kmalloc_node(struct operation *operation)
{
	int node = (int)operation->operand[1];

	return object_made(operation, kmalloc_node(operation->operand[0], GFP_KERNEL, node),
			   CONTENTS_UNKNOWN);
}

u32 op_kmalloc_array(struct operation *operation)
{
	u64 nr = operation->operand[0], size = operation->operand[1];
	void *objects = kmalloc_array(nr, size, GFP_KERNEL);

	variable_set_sized(operation, objects, nr * size, CONTENTS_UNKNOWN);
	return objects ? KVMAP_OK : kmalloc_status();
}

u32 op_kcalloc(struct operation *operation)
{
	u64 nr = operation->operand[0], size = operation->operand[1];
	void *objects = kcalloc(nr, size, GFP_KERNEL);

	variable_set_sized(operation, objects, nr * size, CONTENTS_ZERO);
	return objects ? KVMAP_OK : kmalloc_status();
}

u32 op_kfree(struct operation *operation)
{
	struct agent_variable *variable = variable_take(operation->operand[0]);

	operation->address = operation->operand[0];
	kfree((const void *)operation->address);
	return variable_settle(variable, kmalloc_status());
}
