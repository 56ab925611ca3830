/* SPDX-License-Identifier: MIT */
#include "agent/report.h"
#include "agent/agent.h"
#include "agent/channel.h"
#include "agent/console.h"
#include "arch/cycles.h"
#include "mm/fail_alloc.h"
#include "mm/page/frames.h"

static u64 ram_bytes(void)
{
	u64 bytes = 0;

	for (u32 i = 0; i < memblock.nr_memory; i++)
		bytes += memblock.memory[i].size;
	return bytes;
}

void report_hello(u64 boot_ticks)
{
	if (channel_is_open()) {
		struct kvmap_record *record = channel_record(KVMAP_RECORD_HELLO);

		record->value[0] = boot_ticks;
		record->value[1] = ram_bytes();
		record->value[2] = frames_total_count();
		channel_send();
	}
	if (agent.serial)
		console_hello(boot_ticks);
}

void report_warning(const struct operation *operation, const struct refusal *refusal)
{
	struct kvmap_record *record;

	if (!channel_is_open())
		return;
	channel_lock();
	if (refusal->status == KVMAP_REFUSED_NO_MEMORY || refusal->status == KVMAP_REFUSED_NO_SPACE ||
	    refusal->status == KVMAP_REFUSED_TOO_LARGE) {
		record = channel_record(KVMAP_RECORD_LIMITS);
		record->status = (u16)refusal->status;
		record->operation = operation_index(operation->script);
		record->limits = refusal->limits;
		channel_send();
	}
	record = channel_record(KVMAP_RECORD_WARNING);
	record->status = (u16)refusal->status;
	record->operation = operation_index(operation->script);
	record->detail = refusal->in_interrupt ? KVMAP_WARNING_IN_INTERRUPT : 0;
	record->value[0] = refusal->addr;
	record->value[1] = refusal->area;
	record->value[2] = refusal->area_size;
	record->value[3] = (u64)refusal->caller;
	record->value[4] = (u64)refusal->area_caller;
	channel_send();
	channel_unlock();
}

void report_free_blocks(const struct operation *operation)
{
	if (!channel_is_open())
		return;
	for (u32 i = 0; i < nr_zones; i++) {
		u32 nr_free[MAX_ORDER + 1];
		struct kvmap_record *record;

		zone_free_blocks(&zones[i], nr_free);
		channel_lock();
		record = channel_record(KVMAP_RECORD_FREE_BLOCKS);
		record->status = (u16)zones[i].kind;
		record->operation = operation_index(operation->script);
		record->detail = zones[i].numa_node;
		for (u32 order = 0; order <= MAX_ORDER; order++)
			record->value[order / 2] |= (u64)nr_free[order] << order % 2 * 32;
		channel_send();
		channel_unlock();
	}
}

void report_result(const struct operation *operation, u32 status, u64 ticks)
{
	channel_lock();
	if (channel_is_open()) {
		struct kvmap_record *record = channel_record(KVMAP_RECORD_RESULT);

		record->status = (u16)status;
		record->operation = operation_index(operation->script);
		record->detail = operation->detail;
		record->value[0] = operation->result;
		record->value[1] = operation->address;
		record->value[2] = operation->size;
		record->value[3] = ticks;
		record->value[4] = operation->expected;
		record->value[5] = operation->found;
		channel_send();
	}
	if (agent.serial)
		console_result(operation, status, ticks);
	channel_unlock();
}

void report_bye(u64 hello_tsc, u32 exit)
{
	if (channel_is_open()) {
		struct kvmap_record *record = channel_record(KVMAP_RECORD_BYE);

		record->value[0] = get_cycles() - hello_tsc;
		record->value[1] = exit;
		record->value[2] = fail_alloc_countdown;
		channel_send();
	}
	if (agent.serial)
		console_bye();
}
