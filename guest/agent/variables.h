/* SPDX-License-Identifier: MIT */
/*
 * variables.h: the variables of the script. The host reads agent_variables to know which bytes must be where
 * (V12).
 */
#ifndef GUEST_AGENT_VARIABLES_H
#define GUEST_AGENT_VARIABLES_H

#include "kvmap/claims.h"
#include "kvmap/operation.h"
#include "lib/types.h"

struct agent_variable {
	u64 address;
	u64 size; /* as asked for, bytes */
	u64 fill_seed;
	u64 filled; /* bytes from its start of which contents and fill_seed speak */
	u32 state;
	u32 contents;      /* of the area, whole pages; CONTENTS_UNKNOWN after a write that is not fill */
	u64 write_address; /* the last 8-byte write into the area, 0 = none since fill */
	u64 write_value;
	u32 group; /* variables whose areas are over the same frames have the same, not 0 */
};

extern struct agent_variable agent_variables[KVMAP_VARIABLES_MAX];
extern u32 agent_nr_variables;

struct operation;

/* What may be used from its address on: whole pages of an area, whole words of what kmalloc gave. */
u64 variable_bytes(const struct agent_variable *variable);

/* Sets the operation's result variable and result, of operand 0's size; memory NULL: the variable has none
 * either. */
void variable_set(struct operation *operation, void *memory, u32 contents);

/* The same of so many bytes. */
void variable_set_sized(struct operation *operation, void *memory, u64 size, u32 contents);

/* What `variable` says of its contents has changed: those over the same frames say so too. */
void variable_contents_changed(const struct agent_variable *variable);

/* The variable whose live memory has address in it, or NULL. */
struct agent_variable *variable_holding(u64 address);

#endif
