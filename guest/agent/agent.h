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

/* The validated module. */
struct agent {
	const struct kvmap_boot *record;
	const struct kvmap_operation *operations;
	const char *strings;
	bool serial;    /* report on the serial port, with or without a channel */
	bool parallel;  /* several CPUs run operations at the same time */
	u32 unexpected; /* operations refused or failed against the script's expectation; atomic */
};

extern struct agent agent;

/* By CPU number: the operation in progress, or the last one. */
extern const struct kvmap_operation *agent_running[KVMAP_CPUS_MAX];

/*
 * By CPU number: script line of the operation in progress, 0 = none, KVMAP_INSIDE_BOOT = boot. While it is
 * not 0 the memory manager's structures may be inconsistent.
 */
extern u32 agent_inside[KVMAP_CPUS_MAX];

/* Index of an operation in the script; 0 for NULL. */
static inline u32 operation_index(const struct kvmap_operation *operation)
{
	return operation ? (u32)(operation - agent.operations) : 0;
}

/*
 * Validates the module, `size` bytes, and sets `agent`. Panics unless it is a complete boot record of this
 * version.
 */
void agent_check(const struct kvmap_boot *record, u64 size);

/* Runs all operations, then ends the machine. entry_tsc: the TSC at the first instruction. */
_Noreturn void agent_run(u64 entry_tsc);

#endif
