/* SPDX-License-Identifier: MIT */
/*
 * server.h: the control socket of a running VM, and the thread that handles its requests.
 *
 * Only processes of the same user or of root are served. No client can stop the VM for long: a connection that
 * sends other bytes than requests, does not read its replies, or exceeds the maximum number is closed; a pause
 * ends with its connection, or expires (protocol.h).
 */
#ifndef VMM_CONTROL_SERVER_H
#define VMM_CONTROL_SERVER_H

#include "control/requests.h"

struct control_server;

/*
 * Listens at `path`. Replaces a stale socket; ERROR_INPUT if another file or a listening socket is there. `vm`
 * is borrowed.
 */
int control_server_start(const char *path, const struct control_vm *vm, struct control_server **out,
			 struct error *error);

/* Closes all connections and removes the socket; the VM is not paused afterwards. NULL is allowed. */
void control_server_stop(struct control_server *server);

/*
 * The VM is held at its end from now on. Returns a descriptor, owned by the server, that becomes readable when
 * a client ends the hold.
 */
int control_server_at_end(struct control_server *server);

#endif
