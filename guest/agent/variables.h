/* SPDX-License-Identifier: MIT */
/*
 * variables.h: variables of the script. The host reads agent_variables for the expected contents of memory
 * (V12).
 */
#ifndef GUEST_AGENT_VARIABLES_H
#define GUEST_AGENT_VARIABLES_H

#include "kvmap/claims.h"
#include "kvmap/operation.h"
#include "lib/types.h"

struct agent_variable {
	u64 address;
	u64 size; /* in bytes, as requested */
	u64 fill_seed;
	u64 filled; /* bytes from the start to which contents and fill_seed apply */
	u64 zero_start,
		zero_end; /* bytes [zero_start, zero_end) are zero whatever contents says: gained by a resize */
	u32 state;
	/* enum agent_contents, of whole pages; CONTENTS_UNKNOWN after a write that is not a fill */
	u32 contents;
	u64 write_address; /* of the 8-byte writes since the last fill, each where the one before ends; 0 = none */
	u64 write_value; /* KVMAP_WRITTEN_SUM() of them */
	u32 group;       /* variables whose areas share frames have the same number; 0 = none */
	/* 1: the script wrote after the requested size of an object, where kmalloc() records that size */
	u16 slack_written;
	u16 write_words; /* their number */
};

extern struct agent_variable agent_variables[KVMAP_VARIABLES_MAX];
extern u32 agent_nr_variables;

struct operation;

/* Usable bytes from its address on: whole pages of an area, the requested bytes of an object. */
u64 variable_bytes(const struct agent_variable *variable);

/*
 * Sets the operation's result, and its result variable to memory of operand 0's size. memory NULL: the
 * variable becomes unset.
 */
void variable_set(struct operation *operation, void *memory, u32 contents);

/* variable_set() with another size. */
void variable_set_sized(struct operation *operation, void *memory, u64 size, u32 contents);

/* Copies a change of the variable's contents to the variables that share its frames. */
void variable_contents_changed(const struct agent_variable *variable);

/* Offset of the end of the words that were written last. Requires write_address. */
static inline u64 variable_write_end(const struct agent_variable *variable)
{
	return variable->write_address - variable->address + variable->write_words * sizeof(u64);
}

/* A write of 8 bytes to the variable's memory: only these, and those that end where they begin, are known. */
void variable_written(struct agent_variable *variable, u64 address, u64 value);

/* A write or a fill: nothing is known of the contents. */
void variable_contents_forget(struct agent_variable *variable);

/*
 * For a variable whose memory was resized: forgets the contents that variables of its group have beyond the
 * requested size.
 */
void variable_slack_changed(const struct agent_variable *variable);

/*
 * For a write of 8 bytes to an address of `holder` (NULL: of no variable): forgets the contents of all other
 * variables that have some of these bytes, and marks those whose slack has some (slack_written).
 */
void variables_overwritten(u64 address, const struct agent_variable *holder);

/* The variable whose live memory contains `address`, or NULL. */
struct agent_variable *variable_holding(u64 address);

/*
 * variable_holding(), for what frees its memory. It is VARIABLE_FREED before that, since another CPU may allocate
 * the memory as soon as it is free.
 */
struct agent_variable *variable_take(u64 address);

/* After variable_take(); status: of the free, enum kvmap_status. A refusal leaves the variable its memory. Returns status. */
u32 variable_settle(struct agent_variable *variable, u32 status);

#endif
