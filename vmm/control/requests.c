/* SPDX-License-Identifier: MIT */
#include "control/requests.h"

#include <stddef.h>
#include <string.h>

static void resume(struct control_vm_state *state, struct control_connection *connection)
{
	connection->pauses = false;
	if (!--state->pausing)
		state->vm->release(state->vm->context);
}

static void reply_ok(struct control_reply *out, size_t size)
{
	out->header.status = CONTROL_OK;
	out->header.size = (uint32_t)size;
}

static void handle_hello(const struct control_vm_state *state, struct control_reply *out)
{
	out->hello = state->vm->hello;
	out->hello.state = CONTROL_RUNNING;
	if (state->pausing)
		out->hello.state = CONTROL_PAUSED;
	else if (state->at_end)
		out->hello.state = CONTROL_AT_END;
	reply_ok(out, sizeof(out->hello));
}

static void handle_memory(const struct control_vm_state *state, struct control_reply *out)
{
	out->memory = state->vm->memory;
	reply_ok(out, offsetof(struct control_memory, regions) +
			      out->memory.region_count * sizeof(out->memory.regions[0]));
}

/* A repeated PAUSE reads the registers again and does not move the deadline. */
static void handle_pause(struct control_vm_state *state, struct control_connection *connection,
			 uint64_t now_ns, struct control_reply *out)
{
	int count;

	if (!connection->pauses) {
		*connection = (struct control_connection){ .pauses = true, .paused_at = now_ns };
		if (!state->pausing++)
			state->vm->hold(state->vm->context);
	}
	count = state->vm->registers(state->vm->context, out->cpus.cpus);
	if (count < 0) {
		resume(state, connection);
		return;
	}
	out->cpus.count = (uint32_t)count;
	out->cpus.unused = 0;
	reply_ok(out, offsetof(struct control_cpus, cpus) + (size_t)count * sizeof(out->cpus.cpus[0]));
}

static void handle_resume(struct control_vm_state *state, struct control_connection *connection,
			  uint64_t (*now_ns)(void), struct control_reply *out)
{
	if (!connection->pauses) {
		out->header.status = connection->expired ? CONTROL_EXPIRED : CONTROL_NOT_PAUSED;
		connection->expired = false;
		return;
	}
	resume(state, connection);
	out->paused.ns = now_ns() - connection->paused_at;
	reply_ok(out, sizeof(out->paused));
}

static void handle_translate(const struct control_vm_state *state,
			     const struct control_connection *connection,
			     const struct control_request *request, struct control_reply *out)
{
	struct view_translation translation = { 0 };
	uint32_t count = request->header.count;

	if (!connection->pauses) {
		out->header.status = CONTROL_NOT_PAUSED;
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (state->vm->translate(state->vm->context, request->header.cpu, request->addresses[i],
					 &translation) < 0)
			return;
		out->translations[i] = (struct control_translation){
			.gpa = translation.gpa,
			.valid = translation.valid,
		};
	}
	reply_ok(out, count * sizeof(out->translations[0]));
}

static void handle_end_hold(struct control_vm_state *state, struct control_reply *out)
{
	if (!state->at_end && !state->vm->held) {
		out->header.status = CONTROL_NOT_HELD;
		return;
	}
	state->hold_ended = true;
	reply_ok(out, 0);
}

void control_reply_error(uint16_t type, enum control_status status, struct control_reply *out)
{
	out->header = (struct control_reply_header){
		.magic = CONTROL_MAGIC,
		.version = CONTROL_VERSION,
		.type = type,
		.status = status,
	};
}

/* Copies the datagram; false unless its length is that of the header and header.count addresses. */
static bool parse_request(const void *datagram, size_t size, struct control_request *out)
{
	const struct control_request_header *header = &out->header;

	if (size < sizeof(*header) || size > sizeof(*out))
		return false;
	memcpy(out, datagram, size);
	return header->magic == CONTROL_MAGIC && header->version == CONTROL_VERSION &&
	       header->count <= CONTROL_ADDRESSES_MAX &&
	       size == sizeof(*header) + header->count * sizeof(out->addresses[0]) &&
	       (!header->count || header->type == CONTROL_TRANSLATE);
}

enum control_action control_handle_request(struct control_vm_state *state,
					   struct control_connection *connection, const void *datagram,
					   size_t size, uint64_t (*now_ns)(void), struct control_reply *out)
{
	struct control_request request;

	if (!parse_request(datagram, size, &request)) {
		control_reply_error(0, CONTROL_BAD_REQUEST, out);
		return CONTROL_SEND_CLOSE;
	}
	/* The handlers below replace the status on success. */
	control_reply_error(request.header.type, CONTROL_FAILED, out);
	switch (request.header.type) {
	case CONTROL_HELLO: handle_hello(state, out); return CONTROL_SEND;
	case CONTROL_MEMORY: handle_memory(state, out); return CONTROL_SEND_FDS;
	case CONTROL_PAUSE: handle_pause(state, connection, now_ns(), out); return CONTROL_SEND;
	case CONTROL_RESUME: handle_resume(state, connection, now_ns, out); return CONTROL_SEND;
	case CONTROL_TRANSLATE: handle_translate(state, connection, &request, out); return CONTROL_SEND;
	case CONTROL_END_HOLD: handle_end_hold(state, out); return CONTROL_SEND;
	}
	control_reply_error(request.header.type, CONTROL_BAD_REQUEST, out);
	return CONTROL_SEND_CLOSE;
}

uint64_t control_pause_deadline(const struct control_connection *connection)
{
	return connection->pauses ? connection->paused_at + CONTROL_PAUSE_MAX_NS : UINT64_MAX;
}

void control_pause_expire(struct control_vm_state *state, struct control_connection *connection,
			  uint64_t now_ns)
{
	if (now_ns < control_pause_deadline(connection))
		return;
	resume(state, connection);
	connection->expired = true;
}

void control_disconnect(struct control_vm_state *state, struct control_connection *connection)
{
	if (connection->pauses)
		resume(state, connection);
}
