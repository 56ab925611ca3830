/* SPDX-License-Identifier: MIT */
/*
 * faults.h: page faults of operations, and what a faulting address belongs to.
 */
#ifndef GUEST_AGENT_FAULTS_H
#define GUEST_AGENT_FAULTS_H

#include "kvmap/channel.h"
#include "lib/types.h"

struct operation;

struct fault {
	u32 kind; /* enum kvmap_fault_kind */
	u64 address;
	u64 area; /* start of the area that contains the address, 0 if none */
	u64 area_size;
	u64 caller; /* of the function that allocated that area */
	u64 rip;
	u64 error_code; /* of #PF */
};

/* Fills in kind, area and caller from address and error_code. */
void fault_explain(struct fault *fault);

/* Records and reports the fault of an operation's last access. Returns KVMAP_FAILED_FAULT. */
u32 fault_taken(struct operation *operation);

/* Fills in a FAULT or OOPS record except type, status and operation. */
void fault_record(const struct fault *fault, struct kvmap_record *record);

/* Prints "guard page of the 64 KiB area at 0x..." on the serial port. */
void fault_text(const struct fault *fault);

#endif
