/* SPDX-License-Identifier: MIT */
/*
 * ring.c: a session whose script grows while the guest runs.
 */
#include "base/array.h"
#include "base/clock.h"
#include "session/expectations.h"
#include "session/internal.h"

#include <stdlib.h>
#include <string.h>

/* Arguments of machine_ring_push(), copied from the script. */
struct parcel {
	struct kvmap_operation items[MACHINE_RING_CAPACITY];
	uint32_t count;
	ARRAY_OF(char) strings;
	char names[KVMAP_VARIABLES_MAX * (KVMAP_VARIABLE_NAME_MAX + 1)];
	uint32_t names_size;
};

static int no_memory(struct error *error)
{
	return error_set(error, ERROR_HOST, 0, 0, "out of memory");
}

/* ---- what the guest gets ---- */

/* Operations that must be given together, from number `index` on: a `parallel` and what is in it, or one. */
static size_t group_size(const struct script *script, size_t index)
{
	const struct kvmap_operation *operation = &script->operations.items[index];

	return operation->opcode == KVMAP_OP_PARALLEL ? 1 + operation->operand[0].value : 1;
}

/* The text of an operation, with its NUL; NULL: it has none. */
static const char *text_of(const struct script *script, const struct kvmap_operation *operation,
			   size_t *size_out)
{
	const char *text;

	if (!operation_has_text(operation->opcode))
		return NULL;
	text = script->strings.items + operation->operand[0].value;
	*size_out = strlen(text) + 1;
	return text;
}

static size_t texts_size(const struct script *script, size_t index, size_t count)
{
	size_t sum = 0, size = 0;

	for (size_t i = index; i < index + count; i++)
		if (text_of(script, &script->operations.items[i], &size))
			sum += size;
	return sum;
}

int session_check(const struct session *session, struct error *error)
{
	const struct script *script = session->config.script;

	for (size_t i = session->given; i < script->operations.count; i += group_size(script, i)) {
		size_t count = group_size(script, i);

		if (count > MACHINE_RING_CAPACITY)
			return error_set(
				error, ERROR_INPUT, 0, 0,
				"this parallel has %zu operations; while the guest runs it gets %d at once: "
				"split it, or write it into a script",
				count - 1, MACHINE_RING_CAPACITY - 1);
		if (texts_size(script, i, count) > MACHINE_RING_STRINGS)
			return error_set(error, ERROR_INPUT, 0, 0,
					 "the texts of this parallel have more than %u bytes",
					 MACHINE_RING_STRINGS);
	}
	return 0;
}

static int add_operation(const struct session *session, struct parcel *parcel, size_t index)
{
	const struct script *script = session->config.script;
	struct kvmap_operation *copy = &parcel->items[parcel->count++];
	size_t size = 0;
	const char *text;

	*copy = script->operations.items[index];
	text = text_of(script, copy, &size);
	if (!text)
		return 0;
	copy->operand[0].value = parcel->strings.count;
	for (size_t i = 0; i < size; i++)
		if (array_push(&parcel->strings, text[i]) < 0)
			return -1;
	return 0;
}

/* Fills the parcel with the next operations, as many as fit. -1 when memory is out. */
static int fill_parcel(const struct session *session, struct parcel *parcel)
{
	const struct script *script = session->config.script;
	size_t next = session->given;

	while (next < script->operations.count) {
		size_t count = group_size(script, next);

		if (parcel->count + count > MACHINE_RING_CAPACITY ||
		    parcel->strings.count + texts_size(script, next, count) > MACHINE_RING_STRINGS)
			break;
		for (; count; count--)
			if (add_operation(session, parcel, next++) < 0)
				return -1;
	}
	script_fill_seeds(parcel->items, parcel->count, session->config.seed);
	parcel->names_size = (uint32_t)script_names_size(script);
	script_fill_names(script, parcel->names);
	return 0;
}

/* Gives the guest, which is idle, the next operations of the script. */
static int give(struct session *session, struct error *error)
{
	struct parcel *parcel = calloc(1, sizeof(*parcel));
	struct machine_operations operations;
	int result = 0;

	if (!parcel || fill_parcel(session, parcel) < 0) {
		result = no_memory(error);
	} else {
		operations = (struct machine_operations){
			.items = parcel->items,
			.count = parcel->count,
			.strings = parcel->strings.items,
			.strings_size = (uint32_t)parcel->strings.count,
			.names = parcel->names,
			.names_size = parcel->names_size,
			.variable_count = (uint32_t)session->config.script->variables.count,
		};
		/* A verification between two lines is of no operation. */
		session->verified = false;
		/* After stop_at_idle() the ring is empty, so that they fit. */
		if (machine_ring_push(session->machine, &operations))
			session->given += parcel->count;
		else
			result = error_set(error, ERROR_GUEST, 0, 0, "the guest takes no operations");
	}
	if (parcel)
		free(parcel->strings.items);
	free(parcel);
	return result;
}

/* ---- how it stops ---- */

/* The guest says that it has done everything. */
static int stop_at_idle(struct session *session, struct error *error)
{
	int waiting = machine_ring_waiting(session->machine);

	session->state = SESSION_IDLE;
	if (!waiting && session->steps.count == session->given)
		return 0;
	session->state = SESSION_DEAD;
	return expectations_broken_ring(session, waiting) < 0 ? no_memory(error) : 0;
}

static int stop_at_end(struct session *session, const struct machine_event *event, struct error *error)
{
	session->state = SESSION_DEAD;
	if (session_take_end(session, event, error) < 0)
		return -1;
	if (!session->reached_end)
		return 0;
	session->reached_end = false;
	return expectations_left_ring(session) < 0 ? no_memory(error) : 0;
}

/* Runs the guest until it is idle, stopped, or dead. */
static int run_on(struct session *session, struct error *error)
{
	uint64_t timeout_ns = session->config.timeout_ns;
	uint64_t deadline_ns = timeout_ns ? clock_monotonic_ns() + timeout_ns : 0;
	struct machine_event event;

	if (session_run_guest(session, deadline_ns, &event, error) < 0)
		return -1;
	switch (event.type) {
	case MACHINE_DOORBELL: return stop_at_idle(session, error);
	case MACHINE_INTERRUPTED: session->state = SESSION_STOPPED; return 0;
	default: return stop_at_end(session, &event, error);
	}
}

/* ---- for the caller ---- */

/* Runs until the guest has everything that the script has, or cannot go on. */
static int run_all(struct session *session, struct error *error)
{
	do {
		if (session->state == SESSION_IDLE &&
		    session->given < session->config.script->operations.count && give(session, error) < 0)
			return -1;
		if (run_on(session, error) < 0)
			return -1;
	} while (session->state == SESSION_IDLE && session->given < session->config.script->operations.count);
	return 0;
}

int session_start(const struct session_config *config, struct session **out, struct error *error)
{
	if (session_boot(config, out, error) < 0)
		return -1;
	(*out)->given = config->script->operations.count;
	(*out)->state = SESSION_STOPPED;
	if (run_all(*out, error) == 0) {
		session_fill_run(*out);
		return 0;
	}
	session_destroy(*out);
	*out = NULL;
	return -1;
}

int session_execute(struct session *session, struct error *error)
{
	if (session->state != SESSION_IDLE || session->given == session->config.script->operations.count)
		return 0;
	if (run_all(session, error) < 0)
		return -1;
	session_fill_run(session);
	return 0;
}

void session_forget_interrupt(struct session *session)
{
	machine_continue(session->machine);
}

int session_continue(struct session *session, struct error *error)
{
	if (session->state != SESSION_STOPPED)
		return 0;
	if (run_all(session, error) < 0)
		return -1;
	session_fill_run(session);
	return 0;
}

void session_give_claims(struct session *session, struct claims *out)
{
	*out = session->claims;
	session->claims = (struct claims){ 0 };
	session->run.claims = NULL;
}

void session_where(const struct session *session, char *out, size_t size)
{
	expectations_where(session, out, size);
}

int session_finish(struct session *session, bool verify, struct error *error)
{
	struct machine_event event;

	if (session->state == SESSION_IDLE) {
		machine_ring_close(session->machine);
		if (session_run_guest(session, clock_monotonic_ns() + SESSION_END_NS, &event, error) < 0 ||
		    session_take_end(session, &event, error) < 0)
			return -1;
	}
	return session_check_end(session, verify, error);
}
