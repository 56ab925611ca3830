/* SPDX-License-Identifier: MIT */
/*
 * channel.h: reports from guest to host: a ring of fixed-size records in guest memory.
 *
 * Only the guest writes `head` and the records, only the host writes `tail`; both count records modulo 2^32.
 * The guest rings KVMAP_DOORBELL_DRAIN when head - tail == capacity. The host does not trust the ring: it
 * copies each record once, and a head more than capacity ahead of tail is a finding.
 */
#ifndef KVMAP_CHANNEL_H
#define KVMAP_CHANNEL_H

#include <assert.h>
#include <stdint.h>

enum kvmap_record_type {
	/* Boot is complete: [0] TSC ticks since entry, [1] bytes of RAM, [2] frames managed. */
	KVMAP_RECORD_HELLO = 1,
	/* See struct kvmap_record. */
	KVMAP_RECORD_RESULT = 2,
	/*
	 * An access faulted. detail: enum kvmap_fault_kind, [0] address, [1] area start or 0, [2] area size,
	 * [3] RIP, [4] error code, [5] caller.
	 */
	KVMAP_RECORD_FAULT = 3,
	/* An unexpected exception: as FAULT, with status = vector; three REGISTERS records follow. */
	KVMAP_RECORD_OOPS = 4,
	/* detail 0: rax rbx rcx rdx rsi rdi; 1: rbp rsp r8 r9 r10 r11; 2: r12 r13 r14 r15 rflags cr3. */
	KVMAP_RECORD_REGISTERS = 5,
	/*
	 * The last record: [0] TSC ticks since HELLO, [1] enum kvmap_exit, [2] internal allocations left
	 * until the one that was to fail.
	 */
	KVMAP_RECORD_BYE = 6,
	/*
	 * A refusal of the memory manager, the last one of the operation whose RESULT follows. status:
	 * reason, detail: 1 = in an interrupt, [0] address argument or 0, [1] area or object that contains it
	 * or 0, [2] its size, [3] caller, [4] caller that allocated it or 0.
	 * KVMAP_STATUS_IS_LOCK(): [0] the lock, [3] the place; of another lock that the CPU holds [1] its address and
	 * [4] where it was taken, or [4] this lock's other use; [2] and [5] of a circle: where the lock that closes it
	 * was taken, and where the one was that was held meanwhile. 0 = none.
	 */
	KVMAP_RECORD_WARNING = 7,
	/*
	 * After a WARNING for want of page frames, one for each zone: its free blocks when the operation had ended.
	 * status: enum zone_type, detail: NUMA node, [0] to [5]: as KVMAP_FREE_BLOCKS() reads them.
	 */
	KVMAP_RECORD_FREE_BLOCKS = 8,
	/*
	 * Before a WARNING of a request that was too large or found no memory or space: its numbers, as
	 * struct kvmap_limits has them. status: as the WARNING's.
	 */
	KVMAP_RECORD_LIMITS = 9,
};

/* detail of a WARNING */
enum kvmap_warning_detail {
	KVMAP_WARNING_IN_INTERRUPT = 1 << 0,
};

/* detail of a RESULT */
enum kvmap_result_detail {
	/* One of its allocations failed by injection (kvmap_boot.fail_allocation). */
	KVMAP_RESULT_MADE_TO_FAIL = 1 << 0,
	/* It was refused because of this or an earlier injected failure. */
	KVMAP_RESULT_EXCUSED = 1 << 1,
};

/* Which limit a request exceeded that is too large. X(NAME, value, wording) */
#define KVMAP_LIMITS(X)                                                                                      \
	X(NONE, 0, "")                                                                                       \
	X(KMALLOC, 1, "kmalloc's limit")                                                                     \
	X(ALLOC_PAGES, 2, "the largest block of alloc_pages")                                                \
	X(MEMORY, 3, "all memory that is managed")                                                           \
	X(VMAP, 4, "the limit of the operation")                                                             \
	X(PRODUCT, 5, "what 64 bits hold")

#define KVMAP_LIMIT_ENUM(NAME, value, wording) KVMAP_LIMIT_##NAME = (value),
enum kvmap_limit { KVMAP_LIMITS(KVMAP_LIMIT_ENUM) };
#undef KVMAP_LIMIT_ENUM

/* The values of a LIMITS record, in bytes or frames. Values that do not belong to its status are 0. */
struct kvmap_limits {
	uint64_t wanted; /* bytes; 0: unknown */
	/*
	 * REFUSED_TOO_LARGE: bytes; REFUSED_NO_SPACE: the largest free range; REFUSED_NO_MEMORY: frames that the
	 * request must leave in the zone `withheld`
	 */
	uint64_t limit;
	/*
	 * REFUSED_NO_MEMORY, of the zones that the request allows: frames that are free; of those, frames that
	 * it must leave (watermark and lowmem_reserve), and frames that were never used
	 */
	uint64_t free, reserved, fresh;
	uint8_t which;    /* enum kvmap_limit */
	uint8_t order;    /* of the block that is wanted; 0: single frames */
	uint8_t largest;  /* 1 + order of the largest free block, 0 = none */
	uint8_t zone;     /* REFUSED_NO_MEMORY: the highest zone type allowed */
	uint8_t node;     /* 1 + the only node allowed, 0 = any */
	uint8_t injected; /* 1: an allocation was made to fail */
	/*
	 * REFUSED_NO_MEMORY: 1 + type of the first zone, and 1 + its node, that has a block of `order` which the request
	 * may not take, as it would leave too few frames there; 0 = none
	 */
	uint8_t withheld, withheld_node;
};

static_assert(sizeof(struct kvmap_limits) == 48, "limits");

/*
 * RESULT: status: enum kvmap_status; operation: index in the script;
 *   [0] result (address allocated, value read, frames held, ranges purged)
 *   [1] address operated on       [2] size or count   [3] TSC ticks
 *   [4] FAILED_CONTENT: expected  [5] FAILED_CONTENT: found
 * `pair`: [0] TSC ticks of all its allocations and frees, [1] of the most expensive single one, [4] of the
 * most expensive one beyond the cheapest of its kind.
 */
struct kvmap_record {
	uint16_t type;
	uint16_t status;
	uint32_t operation;
	uint32_t cpu;
	uint32_t detail;
	union {
		uint64_t value[6];
		struct kvmap_limits limits;
	};
};

static_assert(sizeof(struct kvmap_record) == 64, "record");

/* FREE_BLOCKS: free blocks of 2^order frames, two orders a value. Frames that were never used count as blocks. */
#define KVMAP_FREE_BLOCKS(record, order) ((uint32_t)((record)->value[(order) / 2] >> (order) % 2 * 32))

/* `capacity` records follow at offset 64. */
struct kvmap_channel {
	uint32_t capacity; /* a power of two, set by the host */
	uint32_t head;
	uint32_t tail;
	uint32_t unused[13];
	struct kvmap_record record[];
};

static_assert(sizeof(struct kvmap_channel) == 64, "channel");

#endif
