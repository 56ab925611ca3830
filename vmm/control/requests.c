/* SPDX-License-Identifier: MIT */
#include "control/requests.h"

#include <stddef.h>
#include <string.h>

static void resume(struct control_desk *desk, struct control_peer *peer)
{
	peer->pauses = false;
	if (!--desk->pausing)
		desk->vm->release(desk->vm->context);
}

static void ok(struct control_answer *out, size_t size)
{
	out->reply.status = CONTROL_OK;
	out->reply.size = (uint32_t)size;
}

static void answer_hello(const struct control_desk *desk, struct control_answer *out)
{
	out->hello = desk->vm->hello;
	out->hello.state = desk->pausing ? CONTROL_PAUSED : desk->at_end ? CONTROL_AT_END : CONTROL_RUNNING;
	ok(out, sizeof(out->hello));
}

static void answer_memory(const struct control_desk *desk, struct control_answer *out)
{
	out->memory = desk->vm->memory;
	ok(out, offsetof(struct control_memory, regions) +
			out->memory.region_count * sizeof(out->memory.regions[0]));
}

/* Twice is as good as once, and gives it no more time. */
static void answer_pause(struct control_desk *desk, struct control_peer *peer, uint64_t now_ns,
			 struct control_answer *out)
{
	int count;

	if (!peer->pauses) {
		*peer = (struct control_peer){ .pauses = true, .paused_at = now_ns };
		if (!desk->pausing++)
			desk->vm->hold(desk->vm->context);
	}
	count = desk->vm->registers(desk->vm->context, out->cpus.cpus);
	if (count < 0) {
		resume(desk, peer);
		return;
	}
	out->cpus.count = (uint32_t)count;
	out->cpus.unused = 0;
	ok(out, offsetof(struct control_cpus, cpus) + (size_t)count * sizeof(out->cpus.cpus[0]));
}

static void answer_resume(struct control_desk *desk, struct control_peer *peer, uint64_t (*now_ns)(void),
			  struct control_answer *out)
{
	if (!peer->pauses) {
		out->reply.status = peer->expired ? CONTROL_EXPIRED : CONTROL_NOT_PAUSED;
		peer->expired = false;
		return;
	}
	resume(desk, peer);
	out->paused.ns = now_ns() - peer->paused_at;
	ok(out, sizeof(out->paused));
}

static void answer_translate(const struct control_desk *desk, const struct control_peer *peer,
			     const struct control_question *question, struct control_answer *out)
{
	struct view_translation translation = { 0 };
	uint32_t count = question->request.count;

	if (!peer->pauses) {
		out->reply.status = CONTROL_NOT_PAUSED;
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (desk->vm->translate(desk->vm->context, question->request.cpu, question->addresses[i],
					&translation) < 0)
			return;
		out->translations[i] = (struct control_translation){
			.gpa = translation.gpa,
			.valid = translation.valid,
		};
	}
	ok(out, count * sizeof(out->translations[0]));
}

static void answer_let_go(struct control_desk *desk, struct control_answer *out)
{
	if (!desk->at_end) {
		out->reply.status = CONTROL_NOT_HELD;
		return;
	}
	desk->let_go = true;
	ok(out, 0);
}

void control_refuse(uint16_t type, enum control_status status, struct control_answer *out)
{
	out->reply = (struct control_reply){
		.magic = CONTROL_MAGIC,
		.version = CONTROL_VERSION,
		.type = type,
		.status = status,
	};
}

/* A request, with as many addresses as it says. */
static bool take_question(const void *datagram, size_t size, struct control_question *out)
{
	const struct control_request *request = &out->request;

	if (size < sizeof(*request) || size > sizeof(*out))
		return false;
	memcpy(out, datagram, size);
	return request->magic == CONTROL_MAGIC && request->version == CONTROL_VERSION &&
	       request->count <= CONTROL_ADDRESSES_MAX &&
	       size == sizeof(*request) + request->count * sizeof(out->addresses[0]) &&
	       (!request->count || request->type == CONTROL_TRANSLATE);
}

enum control_do control_answer(struct control_desk *desk, struct control_peer *peer, const void *datagram,
			       size_t size, uint64_t (*now_ns)(void), struct control_answer *out)
{
	struct control_question question;

	if (!take_question(datagram, size, &question)) {
		control_refuse(0, CONTROL_BAD_REQUEST, out);
		return CONTROL_SEND_CLOSE;
	}
	control_refuse(question.request.type, CONTROL_FAILED, out);
	switch (question.request.type) {
	case CONTROL_HELLO: answer_hello(desk, out); return CONTROL_SEND;
	case CONTROL_MEMORY: answer_memory(desk, out); return CONTROL_SEND_FDS;
	case CONTROL_PAUSE: answer_pause(desk, peer, now_ns(), out); return CONTROL_SEND;
	case CONTROL_RESUME: answer_resume(desk, peer, now_ns, out); return CONTROL_SEND;
	case CONTROL_TRANSLATE: answer_translate(desk, peer, &question, out); return CONTROL_SEND;
	case CONTROL_LET_GO: answer_let_go(desk, out); return CONTROL_SEND;
	}
	control_refuse(question.request.type, CONTROL_BAD_REQUEST, out);
	return CONTROL_SEND_CLOSE;
}

uint64_t control_deadline(const struct control_peer *peer)
{
	return peer->pauses ? peer->paused_at + CONTROL_PAUSE_MAX_NS : UINT64_MAX;
}

void control_expire(struct control_desk *desk, struct control_peer *peer, uint64_t now_ns)
{
	if (now_ns < control_deadline(peer))
		return;
	resume(desk, peer);
	peer->expired = true;
}

void control_leave(struct control_desk *desk, struct control_peer *peer)
{
	if (peer->pauses)
		resume(desk, peer);
}
