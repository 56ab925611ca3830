/* SPDX-License-Identifier: MIT */
/*
 * boot.h: PVH module 0: a boot record, the operations of the script and their strings, in one piece, so that
 * QEMU's -initrd can load it. Little endian; offsets are in bytes from the start of the record.
 */
#ifndef KVMAP_BOOT_H
#define KVMAP_BOOT_H

#include "kvmap/limits.h"

#include <assert.h>
#include <stdint.h>

#define KVMAP_BOOT_MAGIC   0x746f6f6270616d76 /* "vmapboot" */
#define KVMAP_BOOT_VERSION 4

/*
 * GPA at which a NUMA node begins: nodes split RAM into equal ranges, in multiples of 2 MiB; node 0 includes
 * everything below node 1, the last one everything above. CPU n belongs to node n * nodes / cpus.
 */
#define KVMAP_NODE_START(node, nodes, ram_end) ((uint64_t)(ram_end) / (nodes) * (node) & ~0x1fffffull)

/* X(NAME, bit) */
#define KVMAP_BOOT_FLAGS(X)                                                                                     \
	/* a channel is at channel_gpa, and the host answers the doorbell */                                    \
	X(CHANNEL, 0)                                                                                           \
	/* print the report on the serial port */                                                               \
	X(SERIAL, 1)                                                                                            \
	/* 1G pages work, whatever CPUID reports */                                                             \
	X(PAGES_1G, 2)                                                                                          \
	/* print TSC ticks on the serial port: instructions, under QEMU's -icount shift=0 */                    \
	X(TICKS, 3)                                                                                             \
	/* kmalloc poisons free objects and detects double frees */                                             \
	X(DEBUG_SLAB, 8)                                                                                        \
	/* an operation runs in an interrupt, so that even one CPU has a local APIC */                          \
	X(INTERRUPTS, 9)                                                                                        \
	/* RAM that this record's module does not fill is zero. Firmware leaves data in RAM: then it is not. */ \
	X(ZEROED, 10)                                                                                           \
	/* a ring (ring.h) is at ring_gpa; only with CHANNEL */                                                 \
	X(RING, 11)                                                                                             \
	/* keep the event log (event_log.h) */                                                                  \
	X(LOG, 12)                                                                                              \
	/* check how locks are used; a guest that was compiled without CHECK_LOCKS ignores it */                \
	X(DEBUG_LOCKS, 13)

#define KVMAP_BOOT_ENUM(NAME, bit) KVMAP_BOOT_##NAME = 1 << (bit),
enum kvmap_boot_flags { KVMAP_BOOT_FLAGS(KVMAP_BOOT_ENUM) };
#undef KVMAP_BOOT_ENUM

#define KVMAP_BOOT_OR(NAME, bit)  | 1 << (bit)
#define KVMAP_BOOT_SUM(NAME, bit) +(1 << (bit))
static_assert((0 KVMAP_BOOT_FLAGS(KVMAP_BOOT_OR)) == (0 KVMAP_BOOT_FLAGS(KVMAP_BOOT_SUM)),
	      "two flags with one bit");
#undef KVMAP_BOOT_OR
#undef KVMAP_BOOT_SUM

/*
 * Flush policies: when a freed range and its frames may be used again. See docs/invariants.md, V9. The option
 * --policy, the guest's console, reports and documents are made from this table.
 *
 * X(NAME, value, word, help)
 */
#define KVMAP_POLICIES(X)                                                                                    \
	X(STRICT, 0, "strict",                                                                               \
	  "neither the range nor its frames before a TLB flush that covers the range (default)")             \
	X(LAZY, 1, "lazy", "as Linux: the frames at once, the range after a flush")                          \
	X(EAGER, 2, "eager", "both at once: every vfree() flushes")

#define KVMAP_POLICY_ENUM(NAME, value, word, help) KVMAP_POLICY_##NAME = (value),
enum kvmap_policy { KVMAP_POLICIES(KVMAP_POLICY_ENUM) KVMAP_NR_POLICIES };
#undef KVMAP_POLICY_ENUM

struct kvmap_boot {
	uint64_t magic;
	uint32_t version;
	uint32_t size; /* of the whole module */
	uint32_t flags;
	uint32_t policy;
	uint64_t seed; /* for pseudo-random choices without a seed of their own */
	uint64_t channel_gpa;
	uint32_t channel_size;
	uint32_t variable_count;
	uint32_t operations_offset; /* of struct kvmap_operation[], 8-byte aligned */
	uint32_t operation_count;
	uint32_t strings_offset; /* NUL-terminated strings, one after another */
	uint32_t strings_size;
	uint32_t cpus; /* number of CPUs, 1 to KVMAP_CPUS_MAX; APIC IDs 0, 1, 2, ... */
	/* 1-based index of the internal allocation to fail, counted from the first operation; 0 = never */
	uint32_t fail_allocation;
	uint32_t nodes; /* number of NUMA nodes, 1 to KVMAP_NODES_MAX; 0 means 1 */
	/* Names of the variables, NUL-terminated, one after another up to the end of the module. The guest does not
	 * read them; the host shows them. 0 = there are none. */
	uint32_t names_offset;
	uint64_t ring_gpa;
	uint32_t ring_size; /* bytes, with everything that its offsets refer to */
	uint32_t
		log_gpa; /* of a struct kvmap_log_area; 0: the guest has a place of its own, and no host reads */
};

/* Bytes of a variable's name, without the NUL. */
#define KVMAP_VARIABLE_NAME_MAX 31

static_assert(sizeof(struct kvmap_boot) == 96, "boot record");

#endif
