/* SPDX-License-Identifier: MIT */
/*
 * op_access.c: operations that access one address.
 */
#include "agent/operations.h"
#include "agent/variables.h"
#include "arch/access.h"

u32 op_read(struct operation *operation)
{
	operation->address = operation->operand[0];
	operation->size = sizeof(u64);
	if (access_read(operation->address, &operation->result))
		return fault_taken(operation);
	return KVMAP_OK;
}

u32 op_write(struct operation *operation)
{
	struct agent_variable *variable;

	operation->address = operation->operand[0];
	operation->size = sizeof(u64);
	operation->result = operation->operand[1];
	if (access_write(operation->address, operation->result))
		return fault_taken(operation);
	variable = variable_holding(operation->address);
	variables_overwritten(operation->address, variable);
	if (variable) {
		variable_contents_forget(variable);
		variable->write_address = operation->address;
		variable->write_value = operation->result;
		variable_contents_changed(variable);
	}
	return KVMAP_OK;
}

u32 op_touch(struct operation *operation)
{
	u32 faulted;

	operation->address = operation->operand[0];
	access_invalidate(operation->address);
	switch (operation->operand[1]) {
	case KVMAP_ACCESS_READ: faulted = access_read(operation->address, &operation->result); break;
	case KVMAP_ACCESS_WRITE: faulted = access_write(operation->address, 0); break;
	case KVMAP_ACCESS_EXECUTE: faulted = access_call(operation->address); break;
	default: return KVMAP_REFUSED_UNKNOWN;
	}
	return faulted ? fault_taken(operation) : KVMAP_OK;
}
