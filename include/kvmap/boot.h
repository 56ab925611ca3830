/* SPDX-License-Identifier: MIT */
/*
 * boot.h: PVH module 0. A boot record, the operations of the script and their strings in one piece, so that
 * QEMU's -initrd can carry it. Little endian; offsets are in bytes from the start of the record.
 */
#ifndef KVMAP_BOOT_H
#define KVMAP_BOOT_H

#include <assert.h>
#include <stdint.h>

#define KVMAP_BOOT_MAGIC   0x746f6f6270616d76 /* "vmapboot" */
#define KVMAP_BOOT_VERSION 3

#define KVMAP_CPUS_MAX 64

/*
 * Nodes are equal spans of addresses up to the end of RAM. GPA at which one begins, in whole 2 MiB pages;
 * node 0 has what lies below node 1, the last all up to the end. CPU n belongs to node n * nodes / cpus.
 */
#define KVMAP_NODES_MAX                        8
#define KVMAP_NODE_START(node, nodes, ram_end) ((uint64_t)(ram_end) / (nodes) * (node) & ~0x1fffffull)

enum kvmap_boot_flags {
	KVMAP_BOOT_CHANNEL = 1 << 0, /* a channel lies at channel_gpa and the doorbell is answered */
	KVMAP_BOOT_SERIAL = 1 << 1,  /* write the report as text to the serial port */
	KVMAP_BOOT_TICKS =
		1 << 3, /* the serial report tells TSC ticks: instructions, under QEMU's -icount shift=0 */
	KVMAP_BOOT_PAGES_1G = 1 << 2,   /* 1G pages work on this host, whatever CPUID says */
	KVMAP_BOOT_DEBUG_SLAB = 1 << 8, /* kmalloc poisons what is free and finds what is freed twice */
	KVMAP_BOOT_INTERRUPTS =
		1 << 9, /* some operation runs in an interrupt: one CPU has a local APIC, too */
};

/*
 * Flush policies: when a freed range and its frames may be used again. See docs/invariants.md, V9.
 * STRICT: neither before a TLB flush that covers the range. LAZY, as Linux: the range waits for the flush, its
 * frames do not. EAGER: vfree() flushes.
 *
 * X(name, value, word)
 */
#define KVMAP_POLICIES(X)                                                                                    \
	X(STRICT, 0, "strict")                                                                               \
	X(LAZY, 1, "lazy")                                                                                   \
	X(EAGER, 2, "eager")

#define KVMAP_POLICY_ENUM(name, value, word) KVMAP_POLICY_##name = (value),
enum kvmap_policy { KVMAP_POLICIES(KVMAP_POLICY_ENUM) KVMAP_NR_POLICIES };
#undef KVMAP_POLICY_ENUM

struct kvmap_boot {
	uint64_t magic;
	uint32_t version;
	uint32_t size; /* of the whole module */
	uint32_t flags;
	uint32_t policy;
	uint64_t seed; /* of every pseudo-random choice that names no seed of its own */
	uint64_t channel_gpa;
	uint32_t channel_size;
	uint32_t variable_count;
	uint32_t operations_offset; /* of struct kvmap_operation[], 8-byte aligned */
	uint32_t operation_count;
	uint32_t strings_offset; /* NUL-terminated strings, one after another */
	uint32_t strings_size;
	uint32_t cpus;            /* to use: 1 to KVMAP_CPUS_MAX; their APIC ids are 0, 1, 2 ... */
	uint32_t fail_allocation; /* the so-manieth internal allocation from the first operation on fails; 0:
				     none */
	uint32_t nodes;           /* to split memory into: 1 to KVMAP_NODES_MAX; 0 is 1 */
	uint32_t unused;
};

static_assert(sizeof(struct kvmap_boot) == 80, "boot record");

#endif
