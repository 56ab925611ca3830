/* SPDX-License-Identifier: MIT */
/*
 * op_family.c: the variants of vmalloc(), kvmalloc(), and resizing.
 */
#include "agent/operations.h"
#include "agent/variables.h"
#include "mm/slab/kmalloc.h"
#include "mm/vmalloc/kvmalloc.h"
#include "mm/vmalloc/vmalloc.h"

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

u32 op_vmalloc_huge(struct operation *operation)
{
	u64 size = operation->operand[0];

	return memory_made(operation, vmalloc_huge(size, GFP_KERNEL), size, CONTENTS_UNKNOWN);
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

u32 op_kvcalloc(struct operation *operation)
{
	u64 nr = operation->operand[0], size = operation->operand[1];

	return memory_made(operation, kvcalloc(nr, size, GFP_KERNEL), nr * size, CONTENTS_ZERO);
}

u32 op_kvmalloc_node(struct operation *operation)
{
	u64 size = operation->operand[0];
	int node = (int)operation->operand[1];

	return memory_made(operation, kvmalloc_node(size, GFP_KERNEL, node), size, CONTENTS_UNKNOWN);
}

/* The bytes that a resize with __GFP_ZERO gained, [old->size, ...). */
static void contents_gained(const struct agent_variable *old, struct agent_variable *new)
{
	bool more = old->zero_end > old->zero_start && old->zero_end >= old->size;

	if (new->filled > old->size)
		new->filled = old->size;
	if (old->contents == CONTENTS_ZERO && old->filled >= old->size) {
		new->filled = variable_bytes(new);
		return;
	}
	new->zero_start = more ? old->zero_start : old->size;
	new->zero_end = variable_bytes(new);
}

/* Copies to `new` what is known about the contents of `old`. zero: added bytes are zero. */
static void contents_keep(const struct agent_variable *old, struct agent_variable *new, bool zero)
{
	u64 room = variable_bytes(new);

	/* In place: other areas still map its frames. */
	if (new->address == old->address)
		new->group = old->group;
	if (old->slack_written)
		return; /* krealloc() may have taken another number for the requested size */
	new->fill_seed = old->fill_seed;
	new->contents = old->contents;
	new->filled = old->filled < room ? old->filled : room;
	if (old->zero_start < room) {
		new->zero_start = old->zero_start;
		new->zero_end = old->zero_end < room ? old->zero_end : room;
	}
	if (zero && new->size > old->size)
		contents_gained(old, new);
	/* Bytes beyond the requested size are no contents: they may be cleared or not copied. */
	if (old->write_address &&
	    variable_write_end(old) <= new->size &&variable_write_end(old) <= old->size) {
		new->write_address = old->write_address - old->address + new->address;
		new->write_value = old->write_value;
		new->write_words = old->write_words;
	}
}

/* old: of variable_take(), with its memory before the resize. status: of the resize, enum kvmap_status. */
static u32 resized(struct operation *operation, struct agent_variable *old, void *memory, u32 status)
{
	struct agent_variable before = { 0 };
	u32 number = operation->script->result;
	u64 size = operation->operand[1];

	operation->result = (u64)memory;
	operation->size = size;
	if (variable_settle(old, status))
		return status; /* the old variable keeps its memory */
	if (old) {
		before = *old;
		variable_slack_changed(old);
	}
	variable_set_sized(operation, memory, size, CONTENTS_UNKNOWN);
	if (number >= agent_nr_variables)
		return KVMAP_OK;
	if (memory) {
		contents_keep(&before, &agent_variables[number], operation->operand[2] & __GFP_ZERO);
	} else { /* size 0: like a free */
		operation->result = agent_variables[number].address = operation->operand[0];
		agent_variables[number].state = VARIABLE_FREED;
	}
	return KVMAP_OK;
}

u32 op_vrealloc(struct operation *operation)
{
	struct agent_variable *old = variable_take(operation->operand[0]);
	void *memory = vrealloc((const void *)operation->operand[0], operation->operand[1],
				(gfp_t)operation->operand[2]);

	return resized(operation, old, memory, vmalloc_status());
}

u32 op_kvrealloc(struct operation *operation)
{
	struct agent_variable *old = variable_take(operation->operand[0]);
	void *memory = kvrealloc((const void *)operation->operand[0], operation->operand[1],
				 (gfp_t)operation->operand[2]);

	return resized(operation, old, memory, vmalloc_status());
}

u32 op_krealloc(struct operation *operation)
{
	struct agent_variable *old = variable_take(operation->operand[0]);
	void *memory = krealloc((const void *)operation->operand[0], operation->operand[1],
				(gfp_t)operation->operand[2]);

	return resized(operation, old, memory, kmalloc_status());
}

u32 op_kvfree(struct operation *operation)
{
	struct agent_variable *variable = variable_take(operation->operand[0]);

	operation->address = operation->operand[0];
	kvfree((const void *)operation->address);
	return variable_settle(variable, vmalloc_status());
}
