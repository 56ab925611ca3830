/* SPDX-License-Identifier: MIT */
#include "agent/faults.h"
#include "agent/agent.h"
#include "agent/channel.h"
#include "agent/operations.h"
#include "agent/text.h"
#include "arch/access.h"
#include "arch/traps.h"
#include "kvmap/layout.h"
#include "kvmap/ports.h"
#include "lib/platform.h"
#include "mm/explain.h"
#include "mm/mm_types.h"

void fault_explain(struct fault *fault)
{
	u64 error = fault->error_code;

	fault->kind = KVMAP_FAULT_UNMAPPED;
	if (fault->address >= KVMAP_VMALLOC_START && fault->address < KVMAP_VMALLOC_END) {
		struct vmalloc_address what = { 0 };

		vmalloc_explain(fault->address, error & PF_WRITE, &what);
		fault->area = what.start;
		fault->area_size = what.size;
		fault->caller = (u64)what.caller;
		if (what.kind != KVMAP_FAULT_NONE)
			fault->kind = what.kind;
	}
	if (error & PF_PRESENT)
		fault->kind = error & PF_FETCH   ? KVMAP_FAULT_NOEXECUTE
			      : error & PF_WRITE ? KVMAP_FAULT_READONLY
						 : KVMAP_FAULT_UNMAPPED;
	else if (fault->address < PAGE_SIZE)
		fault->kind = KVMAP_FAULT_NULL;
}

void fault_record(const struct fault *fault, struct kvmap_record *record)
{
	record->detail = fault->kind;
	record->value[0] = fault->address;
	record->value[1] = fault->area;
	record->value[2] = fault->area_size;
	record->value[3] = fault->rip;
	record->value[4] = fault->error_code;
	record->value[5] = fault->caller;
}

u32 fault_taken(struct operation *operation)
{
	struct fault *fault = &operation->fault;
	const struct access_fault access = access_last_fault();

	operation->faulted = true;
	fault->address = access.address;
	fault->rip = access.rip;
	fault->error_code = access.error_code;
	fault_explain(fault);
	if (channel_is_open()) {
		struct kvmap_record *record;

		channel_lock();
		record = channel_record(KVMAP_RECORD_FAULT);
		fault_record(fault, record);
		record->operation = operation_index(operation->script);
		channel_send();
		doorbell_ring(KVMAP_DOORBELL_FAULT);
		channel_unlock();
	}
	return KVMAP_FAILED_FAULT;
}

void fault_text(const struct fault *fault)
{
#define FAULT_DESCRIPTION(NAME, value, word, description, help) [KVMAP_FAULT_##NAME] = description,
	static const char *const kinds[] = { [KVMAP_FAULT_NONE] = "no fault",
					     KVMAP_FAULT_KINDS(FAULT_DESCRIPTION) };

	text(kinds[fault->kind]);
	if (fault->area) {
		text(" of the ");
		text_size(fault->area_size);
		text(" area at ");
		text_hex(fault->area);
	}
}
