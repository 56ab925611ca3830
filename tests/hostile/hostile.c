/* SPDX-License-Identifier: MIT */
/*
 * hostile.c: an agent that lies, linked into the guest of these tests in place of agent_run(). The kernel
 * boots, then sends false reports through the channel and the doorbell. The seed of the run selects the lie;
 * the script it pretends to run is in run.sh.
 */
#include "agent/agent.h"
#include "agent/channel.h"
#include "agent/report.h"
#include "arch/machine.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/pgtable.h"
#include "arch/x86_64/pte.h"
#include "kvmap/event_log.h"
#include "kvmap/layout.h"
#include "kvmap/ports.h"
#include "kvmap/ring.h"
#include "lib/platform.h"
#include "mm/arch.h"

void __wrap_agent_run(u64 entry_tsc);

static void result(u32 operation, u32 status, u64 value)
{
	struct kvmap_record *record = channel_record(KVMAP_RECORD_RESULT);

	record->operation = operation;
	record->status = (u16)status;
	for (u32 i = 0; i < 6; i++)
		record->value[i] = value;
	channel_send();
}

static void fault(u32 kind, u64 address)
{
	struct kvmap_record *record = channel_record(KVMAP_RECORD_FAULT);

	record->detail = kind;
	for (u32 i = 0; i < 6; i++)
		record->value[i] = address;
	channel_send();
}

static void absurd(u32 type)
{
	struct kvmap_record *record = channel_record(type);

	record->status = 0xffff;
	record->operation = record->cpu = record->detail = ~0u;
	for (u32 i = 0; i < 6; i++)
		record->value[i] = ~0ul;
	channel_send();
}

static volatile struct kvmap_channel *shared_channel(void)
{
	return __va(agent.record->channel_gpa);
}

static volatile struct kvmap_ring *shared_ring(void)
{
	return __va(agent.record->ring_gpa);
}

/* Lies to a host that gives it operations: of the first ones, the rest is waited for. */
static void tell_ring(u64 lie)
{
	volatile struct kvmap_ring *ring = shared_ring();

	doorbell_ring(KVMAP_DOORBELL_IDLE);
	switch (lie) {
	case 20: /* an end beyond the host's */ ring->tail = ring->head + 1; break;
	case 21: /* an end before the last one */ ring->tail = ring->tail - 1; break;
	case 22: /* the operations are still there */ break;
	case 23: /* done, without results */ ring->tail = ring->head; break;
	case 24: /* all that is the host's */
		ring->capacity = 3;
		ring->head = ring->tail = 0x12345678;
		ring->strings_offset = ring->names_offset = ring->names_size = ~0u;
		break;
	case 25: /* the results of operations that it was not given */
		for (u32 i = 0; i < 3000; i++)
			result(i, KVMAP_OK, 0);
		ring->tail = ring->head;
		break;
	case 26: /* an end of its own */ machine_exit(KVMAP_EXIT_OK);
	case 27: /* it takes them for ever */
		for (;;)
			ring->tail = ring->head;
	}
	for (;;)
		doorbell_ring(KVMAP_DOORBELL_IDLE);
}

/* Page tables whose entries all point to the same table of the next level: 2^26 of them for a naive walk. */
static void multiply_tables(void)
{
	static u64 tables[3][512] __attribute__((aligned(PAGE_SIZE)));

	for (u32 level = 0; level < 3; level++)
		for (u32 i = 0; i < 512; i++)
			tables[level][i] =
				((u64)(level < 2 ? tables[level + 1] : tables[0]) - KVMAP_IMAGE_BASE) |
				_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED;
	for (u32 i = 0; i < 256; i++)
		init_top_pgt[i] =
			((u64)tables[0] - KVMAP_IMAGE_BASE) | _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED;
}

/* The logs of the first CPU lie after the area's header (kvmap/event_log.h). */
static void tell_log(u64 lie)
{
	volatile struct kvmap_log_area *area = __va(agent.record->log_gpa);
	volatile struct kvmap_log *log = (volatile struct kvmap_log *)(area + 1);
	volatile struct kvmap_log_record *record = log->record;

	log->next = (u64)record;
	doorbell_ring(KVMAP_DOORBELL_LOG);
	if (lie == 31) /* an end that the log does not have */
		log->next = ~0xful;
	if (lie == 32) { /* a record of no kind, as long as nothing is */
		record->seq = 1;
		record->count = ~0u;
		log->next = (u64)(record + 1);
	}
	for (;;) {
		doorbell_ring(KVMAP_DOORBELL_LOG);
		if (lie != 33) /* for ever */
			machine_exit(KVMAP_EXIT_OK);
	}
}

/* The script is two operations: `expect fault null 0` and `verify`. */
static void tell(u64 lie)
{
	switch (lie) {
	case 1: /* more results than operations */
		for (u32 i = 0; i < 3000; i++)
			result(i, KVMAP_OK, 0);
		break;
	case 2: /* operations that no script has */
		result(~0u, KVMAP_OK, 0);
		result(0x80000000, KVMAP_OK, ~0ul);
		break;
	case 3: /* more records than the channel has room for */ shared_channel()->head += 0x12345; break;
	case 4: /* invalid values */
		for (u32 type = 0; type < 8; type++)
			absurd(type);
		result(0, 0xffff, ~0ul);
		result(1, 0x7fff, ~0ul);
		break;
	case 5: /* a page fault that did not happen, without a FAULT record */ result(0, KVMAP_OK, 0); break;
	case 6: /* the same, with a FAULT record */
		fault(KVMAP_FAULT_NULL, 0);
		result(0, KVMAP_OK, 0);
		break;
	case 7: /* a page fault at another address */
		fault(KVMAP_FAULT_NULL, ~0xffful);
		doorbell_ring(KVMAP_DOORBELL_FAULT);
		result(0, KVMAP_OK, 0);
		break;
	case 8: /* claims that the host verified */
		fault(KVMAP_FAULT_NULL, 0);
		doorbell_ring(KVMAP_DOORBELL_FAULT);
		result(0, KVMAP_OK, 0);
		result(1, KVMAP_OK, 0);
		break;
	case 9: /* an invalid exit code */ machine_exit(0xdead);
	case 10: /* no report */ break;
	case 11: /* never ends */
		for (;;)
			doorbell_ring(KVMAP_DOORBELL_VERIFY);
	case 12: /* an unknown doorbell, and no report */ doorbell_ring(~0u); machine_exit(KVMAP_EXIT_OOPS);
	case 13: multiply_tables(); break;
	case 30: /* no event log, though the host requests it */ break;
	case 31:
	case 32:
	case 33: tell_log(lie); break;
	}
}

void __wrap_agent_run(u64 entry_tsc)
{
	report_hello(entry_tsc);
	if (agent.record->flags & KVMAP_BOOT_RING)
		tell_ring(agent.record->seed);
	tell(agent.record->seed);
	machine_exit(KVMAP_EXIT_OK);
}
