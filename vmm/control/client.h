/* SPDX-License-Identifier: MIT */
/*
 * client.h: a view of a VM that another kvmap runs: its memory is mapped here too, and only pages that are
 * read are copied (view/snapshot.h); registers and KVM's translations come through the control socket
 * (view/control.h).
 *
 * The other process is not trusted: what it sends is checked, waiting for it is bounded, and memory that it
 * could take away is refused.
 */
#ifndef VMM_CONTROL_CLIENT_H
#define VMM_CONTROL_CLIENT_H

#include "control/protocol.h"

struct control_client;

/*
 * Connects to the socket at `path` and asks what VM it is. ERROR_INPUT if nobody listens there,
 * ERROR_PERMISSION if this user may not; ERROR_HOST if what answers is not a kvmap that can be understood.
 */
int control_client_open(const char *path, struct control_client **out, struct error *error);
/* The same over a socket that is connected, and taken over even on failure. */
int control_client_open_socket(int socket, struct control_client **out, struct error *error);
/* Ends a pause, too. NULL is allowed. */
void control_client_close(struct control_client *client);

/* Valid until control_client_close(). */
const struct control_hello *control_client_hello(const struct control_client *client);

/* Maps the guest's memory. */
int control_client_map(struct control_client *client, struct error *error);

/*
 * Stops all vCPUs, reads their registers, copies what was asked of the view until now, and has KVM answer
 * what the view's translate was asked. *view_out is borrowed until control_client_close(). Until control_client_resume()
 * it shows one moment; after that only its registers, translations and pages that were copied do, and the
 * others are as they are when they are looked at: control_client_is_complete() tells whether any was.
 */
int control_client_pause(struct control_client *client, const struct view **view_out, struct error *error);

/* Nothing was asked of the view that is not of the moment of the last pause. */
bool control_client_is_complete(const struct control_client *client);

struct control_pause_time {
	uint64_t vm_ns;     /* how long the VM stood still, by its own clock; 0: it ended meanwhile */
	uint64_t client_ns; /* from the request to stop to the answer to the request to go on */
};

/*
 * Lets the vCPUs go on. A VM that ended in the pause is no error: its memory was not changed any more. A
 * pause that was too long and ended by itself is ERROR_HOST: what was read may be of two moments.
 */
int control_client_resume(struct control_client *client, struct control_pause_time *out, struct error *error);

/* Lets a VM that `kvmap run --hold` keeps at its end exit. ERROR_INPUT if it is not snapshot. */
int control_client_end_hold(struct control_client *client, struct error *error);

#endif
