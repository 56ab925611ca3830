/* SPDX-License-Identifier: MIT */
/*
 * op_family.c: the relatives of vmalloc(), and kvmalloc().
 */
#include "agent/operations.h"
#include "agent/variables.h"
#include "mm/kvmalloc.h"
#include "mm/vmalloc.h"

static u32 memory_made(struct operation *operation, void *memory, u64 size, u32 contents)
{
	variable_set_sized(operation, memory, size, contents);
	return memory ? KVMAP_OK : vmalloc_status();
}

u32 op_vmalloc_gfp(struct operation *operation)
{
	u64 size = operation->operand[0], gfp = operation->operand[1];

	return memory_made(operation, __vmalloc(size, (gfp_t)gfp), size,
			   gfp & __GFP_ZERO ? CONTENTS_ZERO : CONTENTS_UNKNOWN);
}

u32 op_vmalloc_user(struct operation *operation)
{
	u64 size = operation->operand[0];

	return memory_made(operation, vmalloc_user(size), size, CONTENTS_ZERO);
}

u32 op_vmalloc_32(struct operation *operation)
{
	u64 size = operation->operand[0];

	return memory_made(operation, vmalloc_32(size), size, CONTENTS_UNKNOWN);
}

u32 op_vmalloc_node(struct operation *operation)
{
	u64 size = operation->operand[0];

	return memory_made(operation, vmalloc_node(size, (int)operation->operand[1]), size, CONTENTS_UNKNOWN);
}

u32 op_vzalloc_node(struct operation *operation)
{
	u64 size = operation->operand[0];

	return memory_made(operation, vzalloc_node(size, (int)operation->operand[1]), size, CONTENTS_ZERO);
}

u32 op_vmalloc_array(struct operation *operation)
{
	u64 nr = operation->operand[0], size = operation->operand[1];

	return memory_made(operation, vmalloc_array(nr, size), nr * size, CONTENTS_UNKNOWN);
}

u32 op_vcalloc(struct operation *operation)
{
	u64 nr = operation->operand[0], size = operation->operand[1];

	return memory_made(operation, vcalloc(nr, size), nr * size, CONTENTS_ZERO);
}

u32 op_kvmalloc(struct operation *operation)
{
	u64 size = operation->operand[0];

	return memory_made(operation, kvmalloc(size, GFP_KERNEL), size, CONTENTS_UNKNOWN);
}

u32 op_kvzalloc(struct operation *operation)
{
	u64 size = operation->operand[0];

	return memory_made(operation, kvzalloc(size, GFP_KERNEL), size, CONTENTS_ZERO);
}

u32 op_kvmalloc_array(struct operation *operation)
{
	u64 nr = operation->operand[0], size = operation->operand[1];

	return memory_made(operation, kvmalloc_array(nr, size, GFP_KERNEL), nr * size, CONTENTS_UNKNOWN);
}

u32 op_kvfree(struct operation *operation)
{
	struct agent_variable *variable = variable_holding(operation->operand[0]);

	operation->address = operation->operand[0];
	kvfree((const void *)operation->address);
	if (vmalloc_status() == KVMAP_OK && variable)
		variable->state = VARIABLE_FREED;
	return vmalloc_status();
}
