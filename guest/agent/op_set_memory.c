/* SPDX-License-Identifier: MIT */
/*
 * op_set_memory.c: permissions of areas, and execution of code in them.
 */
#include "agent/operations.h"
#include "arch/access.h"
#include "mm/vmalloc/set_memory.h"
#include "mm/vmalloc/vmalloc.h"

static u32 changed(struct operation *operation, int (*change)(unsigned long addr, int numpages))
{
	u64 pages = operation->operand[1];

	operation->address = operation->operand[0];
	operation->size = pages * PAGE_SIZE;
	if (pages != (u64)(int)pages)
		return KVMAP_REFUSED_COUNT;
	change(operation->address, (int)pages);
	return vmalloc_status();
}

u32 op_set_memory_ro(struct operation *operation)
{
	return changed(operation, set_memory_ro);
}

u32 op_set_memory_rw(struct operation *operation)
{
	return changed(operation, set_memory_rw);
}

u32 op_set_memory_x(struct operation *operation)
{
	return changed(operation, set_memory_x);
}

u32 op_set_memory_nx(struct operation *operation)
{
	return changed(operation, set_memory_nx);
}

u32 op_execute(struct operation *operation)
{
	operation->address = operation->operand[0];
	return access_call(operation->address) ? fault_taken(operation) : KVMAP_OK;
}
