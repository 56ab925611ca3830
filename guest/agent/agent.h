/* SPDX-License-Identifier: MIT */
/*
 * agent.h: runs the operations of the boot record and reports what became of them.
 */
#ifndef GUEST_AGENT_AGENT_H
#define GUEST_AGENT_AGENT_H

#include "kvmap/boot.h"
#include "kvmap/claims.h"
#include "kvmap/operation.h"
#include "lib/types.h"

/* The module, checked. */
struct agent {
	const struct kvmap_boot *record;
	const struct kvmap_operation *operations;
	const char *strings;
	bool serial;    /* the report goes to the serial port, with or without a channel */
	bool parallel;  /* CPUs are at work together */
	u32 unexpected; /* operations that were refused or failed, and were not to; counted atomically */
};

extern struct agent agent;

/* The operation that a CPU runs, or ran last. */
extern const struct kvmap_operation *agent_running[KVMAP_CPUS_MAX];

/* The line of the operation in the middle of which a CPU is, 0: of none, KVMAP_INSIDE_BOOT: of the boot. Then
 * what the host sees of the memory manager may be half done. */
extern u32 agent_inside[KVMAP_CPUS_MAX];

/* Its place in the script. */
static inline u32 operation_index(const struct kvmap_operation *operation)
{
	return operation ? (u32)(operation - agent.operations) : 0;
}

/* Panics if the module, of `size` bytes, is no boot record of this version that is whole. */
void agent_check(const struct kvmap_boot *record, u64 size);

/* Runs all operations, then ends the machine. entry_tsc: the TSC at the first instruction. */
_Noreturn void agent_run(u64 entry_tsc);

#endif
