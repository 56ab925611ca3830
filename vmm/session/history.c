/* SPDX-License-Identifier: MIT */
/*
 * history.c: the guest's event log during a session.
 */
#include "history/history.h"
#include "session/internal.h"
#include "tlb/event_file.h"

/*
 * `purge` and `vm_unmap_aliases` promise a flush, `purge` also that no area waits; in an interrupt they are refused.
 */
static enum history_promise promise_of(void *context, uint64_t number)
{
	const struct session *session = context;
	const struct script *script = session->config.script;
	const struct kvmap_operation *operation;

	if (number >= script->operations.count)
		return HISTORY_PROMISES_NOTHING;
	operation = &script->operations.items[number];
	if (operation->opcode == KVMAP_OP_VERIFY || operation->opcode == KVMAP_OP_SHOW)
		return HISTORY_IS_A_STOP;
	if (operation->context != KVMAP_CONTEXT_TASK)
		return HISTORY_PROMISES_NOTHING;
	switch (operation->opcode) {
	case KVMAP_OP_PURGE: return HISTORY_PROMISES_PURGE;
	case KVMAP_OP_VM_UNMAP_ALIASES: return HISTORY_PROMISES_FLUSH;
	default: return HISTORY_PROMISES_NOTHING;
	}
}

int session_open_history(struct session *session, struct error *error)
{
	struct machine_log log;
	struct history_config config = {
		.cpus = session->config.cpus,
		.policy = session->config.policy,
		.promise = promise_of,
		.context = session,
	};

	if (!session->config.log)
		return 0;
	if (session->config.record_events) {
		session->events = event_file_create(session->config.record_events, error);
		if (!session->events)
			return -1;
	}
	machine_log(session->machine, &log);
	config.place = (struct history_place){ log.gpa, log.size, log.second };
	config.record = session->events;
	return history_create(&config, &session->history, error);
}

int session_close_history(struct session *session, struct error *error)
{
	FILE *events = session->events;

	if (!events)
		return 0;
	history_record_end(session->history);
	session->events = NULL;
	return event_file_close(events, session->config.record_events, error);
}
