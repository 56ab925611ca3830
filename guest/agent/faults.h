/* SPDX-License-Identifier: MIT */
/*
 * faults.h: what a faulting address is.
 */
#ifndef GUEST_AGENT_FAULTS_H
#define GUEST_AGENT_FAULTS_H

#include "kvmap/channel.h"
#include "lib/types.h"

struct operation;

struct fault {
	u32 kind; /* enum kvmap_fault_kind */
	u64 address;
	u64 area; /* start of the area that the address belongs to, 0 if none */
	u64 area_size;
	u64 caller; /* who allocated that area */
	u64 rip;
	u64 error_code; /* of #PF */
};

/* Fills in kind and area from address and error code. */
void fault_explain(struct fault *fault);

/* For an operation whose access has just faulted: explains, reports; KVMAP_FAILED_FAULT. */
u32 fault_taken(struct operation *operation);

/* Fills in a FAULT or OOPS record but for type, status and operation. */
void fault_record(const struct fault *fault, struct kvmap_record *record);

/* "guard page of the 64 KiB area at 0x..." on the serial port */
void fault_text(const struct fault *fault);

#endif
