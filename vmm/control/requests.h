/* SPDX-License-Identifier: MIT */
/*
 * requests.h: what a VM answers to those that look at it: from a datagram to a reply, without a socket and
 * without KVM, so that tests can ask anything.
 */
#ifndef VMM_CONTROL_REQUESTS_H
#define VMM_CONTROL_REQUESTS_H

#include "control/protocol.h"

/* The VM: the functions of machine.h. `hold` and `release` come in turns. */
struct control_vm {
	void *context;
	void (*hold)(void *context);
	void (*release)(void *context);
	/* In a hold. As machine_registers(): their number or -1. */
	int (*registers)(void *context, struct view_cpu cpus[VIEW_CPUS_MAX]);
	/* In a hold. As view->translate. */
	int (*translate)(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out);
	struct control_hello hello; /* all but `state` */
	struct control_memory memory;
	int fds[CONTROL_FDS_MAX]; /* of the memory */
};

/* One that looks. All zero when it comes. */
struct control_peer {
	bool pauses;
	bool expired; /* its pause has ended by itself, which it was not told yet */
	uint64_t paused_at;
};

/* What all of them share. */
struct control_desk {
	const struct control_vm *vm;
	unsigned int pausing; /* peers that pause it */
	bool at_end;          /* it stands at its end, and one may let it go */
	bool let_go;          /* one did */
};

/* Beside the bytes of the reply. */
enum control_do {
	CONTROL_SEND,
	CONTROL_SEND_FDS,   /* with the descriptors of the memory */
	CONTROL_SEND_CLOSE, /* and hang up */
};

/* Answers one datagram of `size` bytes; `now_ns` is a clock that never goes back. Fills *out: its header says
 * how long it is. */
enum control_do control_answer(struct control_desk *desk, struct control_peer *peer, const void *datagram,
			       size_t size, uint64_t (*now_ns)(void), struct control_answer *out);

/* A reply that says no: of `type` 0 where nothing was asked. */
void control_refuse(uint16_t type, enum control_status status, struct control_answer *out);

/* The moment at which the peer's pause ends by itself; UINT64_MAX: it does not pause. */
uint64_t control_deadline(const struct control_peer *peer);

/* Ends its pause if that moment has come. */
void control_expire(struct control_desk *desk, struct control_peer *peer, uint64_t now_ns);

/* The peer is gone, and its pause with it. */
void control_leave(struct control_desk *desk, struct control_peer *peer);

#endif
