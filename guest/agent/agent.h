/* SPDX-License-Identifier: MIT */
/*
 * agent.h: runs the operations of the boot record and reports their results.
 */
#ifndef GUEST_AGENT_AGENT_H
#define GUEST_AGENT_AGENT_H

#include "kvmap/boot.h"
#include "kvmap/claims.h"
#include "kvmap/operation.h"
#include "lib/types.h"

/* The validated module, and which operations are run: first those of the module, then those of the ring. */
struct agent {
	const struct kvmap_boot *record;
	const struct kvmap_operation *operations; /* number n is at n & mask */
	u32 mask;                                 /* of the module: all bits */
	u32 first; /* number of the first operation of which the place is in use; of the module: 0 */
	u32 end;   /* number after the last one that is known */
	const char *strings;
	u32 strings_size; /* bytes; the last one is 0 */
	bool serial;      /* report on the serial port, with or without a channel */
	bool parallel;    /* several CPUs run operations at the same time */
	u32 unexpected;   /* operations refused or failed against the script's expectation; atomic */
};

extern struct agent agent;

/* By CPU number: the operation in progress, or the last one. */
extern const struct kvmap_operation *agent_running[KVMAP_CPUS_MAX];

/*
 * By CPU number: script line of the operation in progress, 0 = none, KVMAP_INSIDE_BOOT = boot. While it is
 * not 0 the memory manager's structures may be inconsistent.
 */
extern u32 agent_inside[KVMAP_CPUS_MAX];

/* By CPU: the opcode of the operation in progress. Undefined while agent_inside is 0 or KVMAP_INSIDE_BOOT. */
extern u32 agent_opcode[KVMAP_CPUS_MAX];

/* Number of an operation in the script; 0 for NULL. */
static inline u32 operation_index(const struct kvmap_operation *operation)
{
	u32 place = (u32)(operation - agent.operations);

	return operation ? agent.first + ((place - agent.first) & agent.mask) : 0;
}

/* The operation of that number, which must be in [agent.first, agent.end). */
static inline const struct kvmap_operation *operation_at(u32 index)
{
	return &agent.operations[index & agent.mask];
}

/*
 * Validates the module, `size` bytes, and sets `agent`. Panics unless it is a complete boot record of this
 * version.
 */
void agent_check(const struct kvmap_boot *record, u64 size);

/* Runs all operations, then ends the machine. entry_tsc: the TSC at the first instruction. */
_Noreturn void agent_run(u64 entry_tsc);

#endif
