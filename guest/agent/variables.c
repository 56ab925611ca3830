/* SPDX-License-Identifier: MIT */
#include "agent/variables.h"
#include "agent/operations.h"
#include "kvmap/layout.h"
#include "lib/spinlock.h"
#include "mm/mm_types.h"
#include "mm/slab/kmalloc.h"

struct agent_variable agent_variables[KVMAP_VARIABLES_MAX];
u32 agent_nr_variables;

/* Protects address, size and state of all variables: searches by address read the variables of other CPUs. */
static struct spinlock lock;

u64 variable_bytes(const struct agent_variable *variable)
{
	bool area = variable->address >= KVMAP_VMALLOC_START && variable->address < KVMAP_VMALLOC_END;

	return area ? ALIGN_UP(variable->size, PAGE_SIZE) : variable->size;
}

void variable_set_sized(struct operation *operation, void *memory, u64 size, u32 contents)
{
	u32 number = operation->script->result;
	struct agent_variable *variable;

	operation->result = (u64)memory;
	operation->size = size;
	if (number >= agent_nr_variables)
		return;
	variable = &agent_variables[number];
	spin_lock(&lock);
	variable->address = (u64)memory;
	variable->size = memory ? operation->size : 0;
	variable->state = memory ? VARIABLE_LIVE : VARIABLE_UNSET;
	variable->contents = memory ? contents : CONTENTS_UNKNOWN;
	variable->filled = variable_bytes(variable);
	variable->zero_start = variable->zero_end = 0;
	variable->write_address = 0;
	variable->group = 0;
	variable->slack_written = 0;
	spin_unlock(&lock);
}

void variable_set(struct operation *operation, void *memory, u32 contents)
{
	variable_set_sized(operation, memory, operation->operand[0], contents);
}

/* Requires `lock`. */
static struct agent_variable *find_holder(u64 address)
{
	for (u32 i = 0; i < agent_nr_variables; i++) {
		struct agent_variable *variable = &agent_variables[i];

		if (variable->state == VARIABLE_LIVE &&
		    address - variable->address < variable_bytes(variable))
			return variable;
	}
	return NULL;
}

struct agent_variable *variable_holding(u64 address)
{
	struct agent_variable *found;

	spin_lock(&lock);
	found = find_holder(address);
	spin_unlock(&lock);
	return found;
}

struct agent_variable *variable_take(u64 address)
{
	struct agent_variable *found;

	spin_lock(&lock);
	found = find_holder(address);
	if (found)
		found->state = VARIABLE_FREED;
	spin_unlock(&lock);
	return found;
}

u32 variable_settle(struct agent_variable *variable, u32 status)
{
	if (!variable || !status)
		return status;
	spin_lock(&lock);
	variable->state = VARIABLE_LIVE;
	spin_unlock(&lock);
	return status;
}

void variable_contents_forget(struct agent_variable *variable)
{
	variable->contents = CONTENTS_UNKNOWN;
	variable->zero_start = variable->zero_end = 0;
	variable->write_address = 0;
}

void variable_contents_changed(const struct agent_variable *variable)
{
	for (u32 i = 0; variable->group && i < agent_nr_variables; i++) {
		struct agent_variable *other = &agent_variables[i];

		if (other == variable || other->state != VARIABLE_LIVE || other->group != variable->group)
			continue;
		other->contents = variable->contents;
		other->fill_seed = variable->fill_seed;
		other->filled =
			variable->filled < variable_bytes(other) ? variable->filled : variable_bytes(other);
		other->zero_start = variable->zero_start;
		other->zero_end = variable->zero_end < variable_bytes(other) ? variable->zero_end
									     : variable_bytes(other);
		if (other->zero_end <= other->zero_start)
			other->zero_start = other->zero_end = 0;
		other->write_address = variable->write_address
					       ? variable->write_address - variable->address + other->address
					       : 0;
		other->write_value = variable->write_value;
		other->write_words = variable->write_words;
		if (other->write_address && variable_write_end(other) > variable_bytes(other))
			other->write_address = 0;
	}
}

void variable_slack_changed(const struct agent_variable *variable)
{
	for (u32 i = 0; variable->group && i < agent_nr_variables; i++) {
		struct agent_variable *other = &agent_variables[i];

		if (other == variable || other->state != VARIABLE_LIVE || other->group != variable->group)
			continue;
		if (other->filled > ALIGN_DOWN(variable->size, PAGE_SIZE))
			other->filled = ALIGN_DOWN(variable->size, PAGE_SIZE);
		if (other->zero_end > variable->size)
			other->zero_end = variable->size;
		if (other->zero_end <= other->zero_start)
			other->zero_start = other->zero_end = 0;
		if (other->write_address && variable_write_end(other) > variable->size)
			other->write_address = 0;
	}
}

void variable_written(struct agent_variable *variable, u64 address, u64 value)
{
	struct agent_variable before = *variable;
	bool follows = before.write_address && address == before.address + variable_write_end(&before) &&
		       before.write_words < (u16)~0;

	variable_contents_forget(variable);
	variable->write_address = follows ? before.write_address : address;
	variable->write_words = follows ? before.write_words + 1 : 1;
	variable->write_value = KVMAP_WRITTEN_SUM(follows ? before.write_value : 0, value);
	variable_contents_changed(variable);
}

/* Whether a write of 8 bytes changes bytes after the requested size of an object. */
static bool is_in_slack(const struct agent_variable *variable, u64 address)
{
	u64 end = variable->address + variable->size;

	return variable->address < KVMAP_VMALLOC_START && address + sizeof(u64) > end &&
	       address < variable->address + ksize((const void *)variable->address);
}

void variables_overwritten(u64 address, const struct agent_variable *holder)
{
	for (u32 i = 0; i < agent_nr_variables; i++) {
		struct agent_variable *other = &agent_variables[i];

		if (other->state == VARIABLE_LIVE && is_in_slack(other, address))
			other->slack_written = 1;
		if (other == holder || other->state != VARIABLE_LIVE ||
		    address + sizeof(u64) <= other->address ||
		    address >= other->address + variable_bytes(other))
			continue;
		variable_contents_forget(other);
		variable_contents_changed(other);
	}
}
