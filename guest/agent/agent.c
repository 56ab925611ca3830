/* SPDX-License-Identifier: MIT */
#include "agent/agent.h"
#include "agent/channel.h"
#include "agent/operations.h"
#include "agent/report.h"
#include "agent/ring.h"
#include "agent/variables.h"
#include "arch/cycles.h"
#include "arch/machine.h"
#include "kvmap/ports.h"
#include "lib/platform.h"
#include "mm/fail_alloc.h"

struct agent agent;
const struct kvmap_operation *agent_running[KVMAP_CPUS_MAX];
u32 agent_inside[KVMAP_CPUS_MAX] = { KVMAP_INSIDE_BOOT };

/* Whether `count` elements of `each` bytes at `offset` lie inside the module, after the boot record. */
static bool is_inside(u64 size, u32 offset, u32 count, u64 each)
{
	return offset >= sizeof(struct kvmap_boot) && offset <= size && count <= (size - offset) / each;
}

void agent_check(const struct kvmap_boot *record, u64 size)
{
	if (record->magic != KVMAP_BOOT_MAGIC)
		panic("PVH module 0 is no boot record");
	if (record->version != KVMAP_BOOT_VERSION)
		panic("the boot record is of another version");
	if (record->size > size || record->variable_count > KVMAP_VARIABLES_MAX ||
	    record->policy >= KVMAP_NR_POLICIES || record->cpus > KVMAP_CPUS_MAX ||
	    record->nodes > KVMAP_NODES_MAX)
		panic("the boot record is damaged");
	if (record->operations_offset % 8 ||
	    !is_inside(record->size, record->operations_offset, record->operation_count,
		       sizeof(struct kvmap_operation)))
		panic("the boot record's operations lie outside it");
	if (!is_inside(record->size, record->strings_offset, record->strings_size, 1))
		panic("the boot record's strings lie outside it");
	agent.record = record;
	agent.operations = (const void *)((const char *)record + record->operations_offset);
	agent.mask = ~0u;
	agent.end = record->operation_count;
	agent.strings = (const char *)record + record->strings_offset;
	agent.strings_size = record->strings_size;
	if (record->strings_size && agent.strings[record->strings_size - 1])
		panic("the boot record's strings do not end");
	if (record->flags & KVMAP_BOOT_CHANNEL && !channel_open(record))
		panic("the boot record's channel makes no sense");
	if (record->flags & KVMAP_BOOT_RING && !ring_open(record))
		panic("the boot record's ring makes no sense");
	agent.serial = record->flags & KVMAP_BOOT_SERIAL || !channel_is_open();
	agent_nr_variables = record->variable_count;
}

void agent_run(u64 entry_tsc)
{
	u64 hello_tsc = get_cycles();
	u32 exit;

	report_hello(hello_tsc - entry_tsc);
	fail_alloc_at(agent.record->fail_allocation);
	WRITE_ONCE(agent_inside[0], 0);
	for (u32 i = 0; i < agent.record->operation_count;)
		i += operation_run(&agent.operations[i]);
	if (agent.record->flags & KVMAP_BOOT_RING)
		ring_run();
	exit = agent.unexpected ? KVMAP_EXIT_REFUSED : KVMAP_EXIT_OK;
	report_bye(hello_tsc, exit);
	machine_exit(exit);
}
