/* SPDX-License-Identifier: MIT */
/*
 * requests.h: handles control requests: from a datagram to a reply, without a socket and without KVM, so that
 * tests can send any request.
 */
#ifndef VMM_CONTROL_REQUESTS_H
#define VMM_CONTROL_REQUESTS_H

#include "control/protocol.h"

/* The VM, as callbacks on machine.h. `hold` and `release` alternate. */
struct control_vm {
	void *context;
	void (*hold)(void *context);
	void (*release)(void *context);
	/* During a hold. As machine_registers(): the number of vCPUs, or -1. */
	int (*registers)(void *context, struct view_cpu cpus[CONTROL_CPUS_MAX]);
	/* During a hold. As view->translate. */
	int (*translate)(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out);
	bool held;                  /* it will be held at its end: CONTROL_END_HOLD is valid before it, too */
	struct control_hello hello; /* all but `state` */
	struct control_memory memory;
	int fds[CONTROL_FDS_MAX]; /* of the memory */
};

/* State of one connection; all zero when it is accepted. */
struct control_connection {
	bool pauses;
	bool expired; /* its pause timed out, and no reply has reported that yet */
	uint64_t paused_at;
};

/* State of the VM that all connections share. */
struct control_vm_state {
	const struct control_vm *vm;
	unsigned int pausing; /* connections that pause it */
	bool at_end;          /* --hold keeps it after its end */
	bool hold_ended;      /* CONTROL_END_HOLD was received */
};

/* How the reply is sent. */
enum control_action {
	CONTROL_SEND,
	CONTROL_SEND_FDS,   /* with the descriptors of the memory */
	CONTROL_SEND_CLOSE, /* and close the connection */
};

/* Handles one datagram of `size` bytes. `now_ns` is a monotonic clock. Fills *out, header.size included. */
enum control_action control_handle_request(struct control_vm_state *state,
					   struct control_connection *connection, const void *datagram,
					   size_t size, uint64_t (*now_ns)(void), struct control_reply *out);

/* Fills a reply without payload. `type`: of the request, 0 if there was none. */
void control_reply_error(uint16_t type, enum control_status status, struct control_reply *out);

/* Time at which the connection's pause expires, in ns of the clock above; UINT64_MAX if it does not pause. */
uint64_t control_pause_deadline(const struct control_connection *connection);

/* Ends the connection's pause if its deadline has passed. */
void control_pause_expire(struct control_vm_state *state, struct control_connection *connection,
			  uint64_t now_ns);

/* Ends the connection's pause; its peer has closed it. */
void control_disconnect(struct control_vm_state *state, struct control_connection *connection);

#endif
