/* SPDX-License-Identifier: MIT */
/*
 * operations.h: what the guest can be told to do.
 *
 * To grow it: an opcode in include/kvmap/operation.h, a function here, a row in the table of operations.c.
 */
#ifndef GUEST_AGENT_OPERATIONS_H
#define GUEST_AGENT_OPERATIONS_H

#include "agent/faults.h"
#include "kvmap/operation.h"
#include "lib/types.h"

/* One run of one operation. */
struct operation {
	const struct kvmap_operation *script;
	u64 operand[3]; /* bases added */

	/* what the operation leaves for the report: see RESULT in kvmap/channel.h */
	u64 result;
	u64 address;
	u64 size;
	u64 expected;
	u64 found;
	bool faulted;
	struct fault fault;
	u32 detail; /* enum kvmap_result_detail */
};

/*
 * A row. `what` and `result` are the words of the serial report. In them stand for a number: %s the size, %a
 * the address, %x and %u the result, %m a touch's kind of access, %t a print's string; of a pair %f the
 * function, %c the count, %w the ticks of the worst single operation, %b
 * those of the worst beyond the cheapest of its kind.
 */
struct operation_row {
	u32 (*run)(struct operation *operation); /* enum kvmap_status */
	const char *what;
	const char *result; /* follows if the status is KVMAP_OK */
	const char *ticks;  /* follows the ticks, where they are asked for; NULL: nothing */
};

/* The row of an opcode; the last resort is one that refuses. */
const struct operation_row *operation_row(u32 opcode);

/*
 * Runs an operation on the CPU that the script names, and reports; a `parallel` with all that belongs to it.
 * Returns how many it were, of `left` that there are.
 */
u32 operation_run(const struct kvmap_operation *script, u32 left);

/* op_areas.c */
u32 op_vmalloc(struct operation *operation);
u32 op_vzalloc(struct operation *operation);
u32 op_vfree(struct operation *operation);
u32 op_vfree_atomic(struct operation *operation);
u32 op_fragment(struct operation *operation);
u32 op_purge(struct operation *operation);

/* op_family.c */
u32 op_vmalloc_gfp(struct operation *operation);
u32 op_vmalloc_user(struct operation *operation);
u32 op_vmalloc_32(struct operation *operation);
u32 op_vmalloc_node(struct operation *operation);
u32 op_vzalloc_node(struct operation *operation);
u32 op_vmalloc_array(struct operation *operation);
u32 op_vcalloc(struct operation *operation);
u32 op_kvmalloc(struct operation *operation);
u32 op_kvzalloc(struct operation *operation);
u32 op_kvmalloc_array(struct operation *operation);
u32 op_vmalloc_huge(struct operation *operation);
u32 op_vrealloc(struct operation *operation);
u32 op_kvrealloc(struct operation *operation);
u32 op_kvfree(struct operation *operation);

/* op_set_memory.c */
u32 op_set_memory_ro(struct operation *operation);
u32 op_set_memory_rw(struct operation *operation);
u32 op_set_memory_x(struct operation *operation);
u32 op_set_memory_nx(struct operation *operation);
u32 op_execute(struct operation *operation);

/* op_kmalloc.c */
u32 op_kmalloc(struct operation *operation);
u32 op_kzalloc(struct operation *operation);
u32 op_kmalloc_node(struct operation *operation);
u32 op_kfree(struct operation *operation);

/* op_vmap.c */
u32 op_vmap(struct operation *operation);
u32 op_vunmap(struct operation *operation);
u32 op_vm_map_ram(struct operation *operation);
u32 op_vm_unmap_ram(struct operation *operation);
u32 op_vm_unmap_aliases(struct operation *operation);

/* op_access.c */
u32 op_read(struct operation *operation);
u32 op_write(struct operation *operation);
u32 op_touch(struct operation *operation);

/* op_contents.c */
u32 op_fill(struct operation *operation);
u32 op_check(struct operation *operation);

/* op_bench.c */
u32 op_pair(struct operation *operation);
u32 op_areas(struct operation *operation);
/* The name of an enum kvmap_function. */
const char *op_pair_function(u64 number);

/* op_stress.c */
u32 op_stress(struct operation *operation);
u32 op_stress_free(struct operation *operation);

/* op_other.c */
u32 op_parallel(struct operation *operation);
u32 op_verify(struct operation *operation);
u32 op_print(struct operation *operation);
u32 op_crash(struct operation *operation);
u32 op_bug(struct operation *operation);

/*
 * Runs bug `number` of kvmap/bugs.h; enum kvmap_status. Weak here, where it refuses; the guest of
 * tests/mutants overrides it.
 */
u32 agent_bug(u32 number);

#endif
