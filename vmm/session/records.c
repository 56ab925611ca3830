/* SPDX-License-Identifier: MIT */
/*
 * records.c: the records that the guest writes into the channel. None of them is trusted.
 */
#include "base/array.h"
#include "session/expectations.h"
#include "session/internal.h"

#include <stdlib.h>
#include <string.h>

void session_end_parallel(struct session *session)
{
	free(session->parallel_done);
	session->parallel_done = NULL;
}

static int parallel_begin(struct session *session, uint32_t index)
{
	const struct script *script = session->config.script;
	size_t count = script->operations.items[index].operand[0].value;

	if (!count)
		return 0;
	session->parallel_start = index + 1ul;
	session->parallel_end = session->parallel_start + count;
	session->parallel_done = calloc(count, sizeof(*session->parallel_done));
	return session->parallel_done ? 0 : -1;
}

/* Each operation ends once, in order; those of a `parallel` in any order. Other results are dropped. */
static bool is_due(struct session *session, uint32_t index)
{
	bool *done;

	if (index >= session->config.script->operations.count)
		return false;
	if (!session->parallel_done)
		return index == session->steps.count;
	if (index < session->parallel_start || index >= session->parallel_end)
		return false;
	done = &session->parallel_done[index - session->parallel_start];
	if (*done)
		return false;
	return *done = true;
}

static int take_result(struct session *session, const struct kvmap_record *record)
{
	struct report_step step = { 0 };

	if (record->cpu >= session->config.cpus || !is_due(session, record->operation)) {
		session->run.dropped_records++;
		return 0;
	}
	step = session->pending[record->cpu];
	session->pending[record->cpu] = (struct report_step){ 0 };
	step.result = *record;
	step.verified = session->verified;
	step.findings = session->findings;
	step.shown = session->shown;
	session->shown = (struct report_shown){ 0 };
	if (array_push(&session->steps, step) < 0 || expectations_check_step(session, &step) < 0)
		return -1;
	session->verified = false;
	if (session->parallel_done && session->steps.count == session->parallel_end)
		session_end_parallel(session);
	if (session->config.script->operations.items[record->operation].opcode == KVMAP_OP_PARALLEL)
		return parallel_begin(session, record->operation);
	return 0;
}

static void take_fault(struct session *session, const struct kvmap_record *record)
{
	if (record->cpu < session->config.cpus)
		session->pending[record->cpu] = (struct report_step){
			.fault = *record,
			.warning = session->pending[record->cpu].warning,
			.limits = session->pending[record->cpu].limits,
		};
	else
		session->run.dropped_records++;
}

static void take_warning(struct session *session, const struct kvmap_record *record)
{
	if (record->cpu < session->config.cpus)
		session->pending[record->cpu].warning = *record;
	else
		session->run.dropped_records++;
}

static int take_free_blocks(struct session *session, const struct kvmap_record *record)
{
	if (record->operation >= session->config.script->operations.count || record->status >= ZONE_TYPES ||
	    record->detail >= KVMAP_NODES_MAX) {
		session->run.dropped_records++;
		return 0;
	}
	return session->free_blocks.count < FREE_BLOCKS_KEPT ? array_push(&session->free_blocks, *record) : 0;
}

static void take_limits(struct session *session, const struct kvmap_record *record)
{
	if (record->cpu < KVMAP_CPUS_MAX)
		session->pending[record->cpu].limits = *record;
	else
		session->run.dropped_records++;
}

static void take_registers(struct session *session, const struct kvmap_record *record)
{
	if (record->detail < 3)
		memcpy(&session->death.oops_registers[record->detail * 6ul], record->value,
		       sizeof(record->value));
}

int session_take_records(struct session *session)
{
	struct kvmap_record record;
	bool damaged = false;

	while (machine_next_record(session->machine, &record, &damaged)) {
		switch (record.type) {
		case KVMAP_RECORD_HELLO: session->run.hello = record; break;
		case KVMAP_RECORD_BYE: session->run.bye = record; break;
		case KVMAP_RECORD_FAULT: take_fault(session, &record); break;
		case KVMAP_RECORD_WARNING: take_warning(session, &record); break;
		case KVMAP_RECORD_LIMITS: take_limits(session, &record); break;
		case KVMAP_RECORD_OOPS: session->death.oops = record; break;
		case KVMAP_RECORD_REGISTERS: take_registers(session, &record); break;
		case KVMAP_RECORD_FREE_BLOCKS:
			if (take_free_blocks(session, &record) < 0)
				return -1;
			break;
		case KVMAP_RECORD_RESULT:
			if (take_result(session, &record) < 0)
				return -1;
			break;
		default: session->run.dropped_records++;
		}
	}
	if (damaged)
		session->run.dropped_records++;
	return 0;
}
