/* SPDX-License-Identifier: MIT */
/*
 * operations.h: runs the operations of kvmap/opcode.h.
 */
#ifndef GUEST_AGENT_OPERATIONS_H
#define GUEST_AGENT_OPERATIONS_H

#include "agent/faults.h"
#include "kvmap/operation.h"
#include "lib/types.h"

/* An operation in progress. */
struct operation {
	const struct kvmap_operation *script;
	u64 operand[3]; /* values, with their bases added */

	/* Results, see RESULT in kvmap/channel.h. */
	u64 result;
	u64 address;
	u64 size;
	u64 expected;
	u64 found;
	bool faulted;
	struct fault fault;
	u32 detail; /* enum kvmap_result_detail */
};

/* A row of KVMAP_OPERATIONS. */
struct operation_row {
	u32 (*run)(struct operation *operation); /* enum kvmap_status */
	const char *name;
	const char *echo;    /* of the operands; see kvmap/opcode.h */
	const char *outcome; /* printed after `echo` if the status is KVMAP_OK */
};

/* The row of an opcode; for an unknown one, a row that refuses. */
const struct operation_row *operation_row(u32 opcode);

/*
 * Runs an operation on the CPU that the script names, and reports it; a `parallel` with all its operations.
 * Returns the number of operations run.
 */
u32 operation_run(const struct kvmap_operation *script);

/* Number of operations of the script, as far as it is known, after this one. */
u32 operations_after(const struct kvmap_operation *script);

/* One op_...() for each operation, in the files op_*.c; enum kvmap_status. */
#define OPERATION_FUNCTION(NAME, function, ...) u32 op_##function(struct operation *operation);
KVMAP_OPERATIONS(OPERATION_FUNCTION)
#undef OPERATION_FUNCTION

/* The name of an enum kvmap_function. */
const char *op_pair_function(u64 number);

/*
 * Runs bug `number` of kvmap/bugs.h; enum kvmap_status. Weak here, where it refuses; the guest of
 * tests/mutants overrides it.
 */
u32 agent_bug(u32 number);

#endif
