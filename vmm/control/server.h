/* SPDX-License-Identifier: MIT */
/*
 * server.h: the control socket of a running VM: a thread that answers those that look at it.
 *
 * Only processes of the same user, or root's, are answered. Whatever they do, the VM goes on: a connection that
 * sends anything but requests, does not read its replies, or is one too many, is hung up on; a pause ends
 * with its connection, or by itself (view/control.h).
 */
#ifndef VMM_CONTROL_SERVER_H
#define VMM_CONTROL_SERVER_H

#include "control/requests.h"

struct control_server;

/*
 * Listens at `path`, which must not be taken: a socket that nobody listens at any more is replaced, anything
 * else is ERROR_INPUT. `vm` is borrowed.
 */
int control_server_start(const char *path, const struct control_vm *vm, struct control_server **out,
			 struct error *error);

/* Hangs up on everybody and removes the socket. The VM is not held when it returns. NULL is allowed. */
void control_server_stop(struct control_server *server);

/*
 * The VM stands at its end from now on. Returns a descriptor (the server's) that becomes readable when a connection
 * lets it go.
 */
int control_server_at_end(struct control_server *server);

#endif
