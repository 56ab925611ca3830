/* SPDX-License-Identifier: MIT */
#include "verify/in_progress.h"

#include "kvmap/operation.h"

#include <inttypes.h>
#include <stdio.h>

#define V(number) (1u << (number))

/*
 * Operations on areas and mappings, and whatever may have to wait for memory, free what waits before them: deferred areas,
 * which are live until then, are cut (V1 to V3, V5), frames and ranges are on their way (V4, V8), stamps are older than the log
 * (V9). Tables are changed by one store each, so that V6, V7, V10 and V11 hold at every instruction.
 */
#define OF_AREAS   (V(1) | V(2) | V(3) | V(4) | V(5) | V(8) | V(9) | V(13))
#define OF_OBJECTS (V(4) | V(13))
#define OF_RIGHTS  (V(1) | V(9))
#define OF_BYTES   V(12)
/* `crash mmio` and `crash emulation` map a page that has no memory. */
#define OF_CRASH (V(7) | V(10))

/* Whether the operation leaves memory and the memory manager as they are. */
static bool changes_nothing(uint32_t opcode)
{
	switch (opcode) {
	case KVMAP_OP_VERIFY:
	case KVMAP_OP_PRINT:
	case KVMAP_OP_SHOW:
	case KVMAP_OP_BUG:
	case KVMAP_OP_PARALLEL:
	case KVMAP_OP_READ:
	case KVMAP_OP_CHECK:
	case KVMAP_OP_EXECUTE: return true;
	default: return false;
	}
}

/* The invariants that the operation may break until it ends. An unknown one may break any. */
static unsigned int broken_by(uint32_t opcode)
{
	if (changes_nothing(opcode))
		return 0;
	switch (opcode) {
	case KVMAP_OP_CRASH: return OF_CRASH;
	case KVMAP_OP_FILL:
	case KVMAP_OP_WRITE:
	case KVMAP_OP_TOUCH: return OF_BYTES;
	case KVMAP_OP_SET_MEMORY_RO:
	case KVMAP_OP_SET_MEMORY_RW:
	case KVMAP_OP_SET_MEMORY_X:
	case KVMAP_OP_SET_MEMORY_NX: return OF_RIGHTS;
	case KVMAP_OP_KFREE:
	case KVMAP_OP_FRAGMENT: return OF_OBJECTS | OF_BYTES;
	case KVMAP_OP_VMALLOC:
	case KVMAP_OP_VZALLOC:
	case KVMAP_OP_VMALLOC_GFP:
	case KVMAP_OP_VMALLOC_HUGE:
	case KVMAP_OP_VMALLOC_USER:
	case KVMAP_OP_VMALLOC_32:
	case KVMAP_OP_VMALLOC_NODE:
	case KVMAP_OP_VZALLOC_NODE:
	case KVMAP_OP_VMALLOC_ARRAY:
	case KVMAP_OP_VCALLOC:
	case KVMAP_OP_KMALLOC:
	case KVMAP_OP_KZALLOC:
	case KVMAP_OP_KMALLOC_NODE:
	case KVMAP_OP_KMALLOC_ARRAY:
	case KVMAP_OP_KCALLOC:
	case KVMAP_OP_KVMALLOC:
	case KVMAP_OP_KVZALLOC:
	case KVMAP_OP_KVMALLOC_ARRAY:
	case KVMAP_OP_KVCALLOC:
	case KVMAP_OP_KVMALLOC_NODE:
	case KVMAP_OP_VMAP:
	case KVMAP_OP_VM_MAP_RAM:
	case KVMAP_OP_VM_UNMAP_ALIASES:
	case KVMAP_OP_PURGE: return OF_AREAS;
	/* The variable still has what is freed or resized. */
	case KVMAP_OP_VFREE:
	case KVMAP_OP_VFREE_ATOMIC:
	case KVMAP_OP_KVFREE:
	case KVMAP_OP_VUNMAP:
	case KVMAP_OP_VM_UNMAP_RAM:
	case KVMAP_OP_VREALLOC:
	case KVMAP_OP_KVREALLOC:
	case KVMAP_OP_KREALLOC:
	case KVMAP_OP_PAIR:
	case KVMAP_OP_AREAS:
	case KVMAP_OP_STRESS:
	case KVMAP_OP_STRESS_FREE: return OF_AREAS | OF_BYTES;
	default: return ~0u;
	}
}

static const char *opcode_name(uint32_t opcode)
{
	switch (opcode) {
#define OPCODE_NAME(NAME, function, number, name, ...)                                                       \
	case number: return name;
		KVMAP_OPERATIONS(OPCODE_NAME)
#undef OPCODE_NAME
	default: return "an unknown operation";
	}
}

bool in_progress_breaks(const struct claims *claims, unsigned int invariant, char *text, size_t size)
{
	for (unsigned int cpu = 0; cpu < KVMAP_CPUS_MAX; cpu++) {
		uint32_t line = claims->inside[cpu];

		if (line == KVMAP_INSIDE_BOOT) {
			snprintf(text, size, "the guest was in its boot, in which it need not hold");
			return true;
		}
		if (!line || !(broken_by(claims->opcode[cpu]) & V(invariant)))
			continue;
		snprintf(text, size, "CPU %u was in `%s` (line %" PRIu32 "), in which it need not hold", cpu,
			 opcode_name(claims->opcode[cpu]), line);
		return true;
	}
	*text = 0;
	return false;
}
