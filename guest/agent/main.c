/* SPDX-License-Identifier: MIT */
/*
 * main.c: initialises the memory manager and the CPUs, then runs the script.
 */
#include "agent/agent.h"
#include "agent/locks.h"
#include "arch/smp.h"
#include "lib/platform.h"
#include "mm/page/frames.h"
#include "mm/page/nodes.h"
#include "mm/slab/kmalloc.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmalloc.h"

void kernel_main(const struct kvmap_boot *record, u64 size, u64 entry_tsc)
{
	agent_check(record, size);
	nodes_init(record->nodes, record->cpus);
	frames_init();
	fresh_is_zero = record->flags & KVMAP_BOOT_ZEROED;
	slab_debug = record->flags & KVMAP_BOOT_DEBUG_SLAB;
	if (slab_debug || record->fail_allocation)
		kmalloc_disable_fast_path();
	vmalloc_init(record->policy);
	agent_check_locks(record->flags & KVMAP_BOOT_DEBUG_LOCKS);
	smp_init(record);
	agent_run(entry_tsc);
}
