/* SPDX-License-Identifier: MIT */
/*
 * channel.h: reports from guest to host: a ring of fixed records in guest memory.
 *
 * The guest alone writes `head` and the records, the host alone writes `tail`; both count records and run
 * freely (modulo 2^32). The guest rings KVMAP_DOORBELL_DRAIN when head - tail == capacity. The host believes
 * none of it: it copies a record once, and a head further than capacity from tail is a finding.
 */
#ifndef KVMAP_CHANNEL_H
#define KVMAP_CHANNEL_H

#include <assert.h>
#include <stdint.h>

enum kvmap_record_type {
	KVMAP_RECORD_HELLO =
		1, /* boot done: [0] TSC ticks since entry, [1] bytes of RAM, [2] frames managed */
	KVMAP_RECORD_RESULT = 2, /* see below */
	KVMAP_RECORD_FAULT = 3,  /* an access faulted. detail: enum kvmap_fault_kind,
		    * [0] address, [1] area start or 0, [2] area size, [3] RIP, [4] error code, [5] caller */
	KVMAP_RECORD_OOPS =
		4, /* unexpected: as FAULT, with status = vector; three REGISTERS records follow */
	KVMAP_RECORD_REGISTERS = 5, /* detail 0: rax rbx rcx rdx rsi rdi; 1: rbp rsp r8 r9 r10 r11;
				     * 2: r12 r13 r14 r15 rflags cr3 */
	KVMAP_RECORD_WARNING = 7,   /* before the RESULT of an operation of which the memory manager refused
				     * something, the last of it: status why, detail 1 in an interrupt,
				     * [0] address given or 0, [1] area or object that it lies in or 0,
				     * [2] size of that, [3] caller, [4] who allocated that area or 0 */
	KVMAP_RECORD_BYE = 6,       /* last record. [0] TSC ticks since HELLO, [1] enum kvmap_exit,
				     * [2] internal allocations until one would have been made to fail */
};

/* detail of a RESULT */
enum kvmap_result_detail {
	KVMAP_RESULT_MADE_TO_FAIL = 1 << 0, /* an allocation of it was (struct kvmap_boot.fail_allocation) */
	KVMAP_RESULT_EXCUSED = 1 << 1,      /* and for that, or such an earlier one, it was refused */
};

/*
 * RESULT: status is an enum kvmap_status; operation is the index in the script;
 *   [0] the result (address allocated, value read, frames held, ranges purged)
 *   [1] the address operated on   [2] size or count   [3] TSC ticks
 *   [4] FAILED_CONTENT: expected  [5] FAILED_CONTENT: found
 * of a pair: [0] TSC ticks of all its allocations and frees together, [1] those of the worst single one,
 *   [4] those of the worst beyond the cheapest of its kind
 */
struct kvmap_record {
	uint16_t type;
	uint16_t status;
	uint32_t operation;
	uint32_t cpu;
	uint32_t detail;
	uint64_t value[6];
};

static_assert(sizeof(struct kvmap_record) == 64, "record");

/* Followed, at offset 64, by `capacity` records. */
struct kvmap_channel {
	uint32_t capacity; /* a power of two, set by the host */
	uint32_t head;
	uint32_t tail;
	uint32_t unused[13];
	struct kvmap_record record[];
};

static_assert(sizeof(struct kvmap_channel) == 64, "channel");

#endif
