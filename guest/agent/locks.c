/* SPDX-License-Identifier: MIT */
#include "agent/locks.h"
#include "agent/channel.h"
#include "agent/agent.h"
#include "arch/interrupt.h"
#include "arch/percpu.h"
#include "lib/lock_check.h"
#include "mm/interrupt.h"

#ifdef CHECK_LOCKS

void agent_check_locks(bool on)
{
	lock_check_on = on;
}

struct lock_context lock_context(void)
{
	return (struct lock_context){
		.cpu = arch_cpu(),
		.in_interrupt = in_interrupt() && !interrupt_is_work(),
		.interrupts_on = interrupts_on(),
	};
}

/* The agent takes it after the operation. */
void lock_check_found(const struct lock_finding *finding)
{
	(void)finding;
}

static void report(const struct operation *operation, u32 status, const struct lock_finding *finding)
{
	struct kvmap_record *record;

	if (!channel_is_open())
		return;
	channel_lock();
	record = channel_record(KVMAP_RECORD_WARNING);
	record->status = (u16)status;
	record->operation = operation_index(operation->script);
	record->value[0] = (u64)finding->lock;
	record->value[1] = (u64)finding->held;
	record->value[2] = (u64)finding->reverse_at;
	record->value[3] = (u64)finding->at;
	record->value[4] = (u64)finding->held_at;
	record->value[5] = (u64)finding->reverse_held_at;
	channel_send();
	channel_unlock();
}

u32 lock_status(const struct operation *operation, u32 status)
{
	static const u8 statuses[LOCK_NR_FINDINGS] = {
		[LOCK_RECURSIVE] = KVMAP_FAILED_LOCK_RECURSIVE,
		[LOCK_ORDER] = KVMAP_FAILED_LOCK_ORDER,
		[LOCK_NOT_HELD] = KVMAP_FAILED_LOCK_NOT_HELD,
		[LOCK_NOT_HOLDER] = KVMAP_FAILED_LOCK_NOT_HOLDER,
		[LOCK_INTERRUPT] = KVMAP_FAILED_LOCK_INTERRUPT,
		[LOCK_HELD] = KVMAP_FAILED_LOCK_HELD,
	};
	struct lock_finding finding;

	if (!lock_check_take(&finding))
		return status;
	report(operation, statuses[finding.kind], &finding);
	return statuses[finding.kind];
}

#endif
