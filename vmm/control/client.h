/* SPDX-License-Identifier: MIT */
/*
 * client.h: a view of a VM that another kvmap process runs. Its memory is mapped here too, and pages that are
 * read are copied (view/snapshot.h). Registers and KVM's translations come through the control socket
 * (protocol.h).
 *
 * The other process is not trusted: messages are checked, waiting is bounded, and memory that it could
 * truncate is refused.
 */
#ifndef VMM_CONTROL_CLIENT_H
#define VMM_CONTROL_CLIENT_H

#include "control/protocol.h"

struct control_client;

/*
 * Connects to the socket at `path` and requests the VM's description. ERROR_INPUT if no VM listens there,
 * ERROR_PERMISSION if this user may not connect, ERROR_HOST if the server does not speak this protocol.
 */
int control_client_open(const char *path, struct control_client **out, struct error *error);
/* The same with a connected socket, which the client owns, also on failure. */
int control_client_open_socket(int socket, struct control_client **out, struct error *error);
/* Closes the connection, which ends a pause. NULL is allowed. */
void control_client_close(struct control_client *client);

/* Valid until control_client_close(). Its `state` is that of the connection, or of the last control_client_refresh(). */
const struct control_hello *control_client_hello(const struct control_client *client);

/* Requests the state of the VM again; the rest of its description stays. */
int control_client_refresh(struct control_client *client, struct error *error);

/* Maps the guest's memory. */
int control_client_map(struct control_client *client, struct error *error);

/*
 * Pauses the VM: stops all vCPUs, reads their registers, copies the pages that were read through the view
 * before, and translates the addresses that were passed to view->translate before. *view_out is borrowed until
 * control_client_close(). Until control_client_resume() the view is consistent; afterwards its registers,
 * translations and copied pages are, and other pages have their current contents: control_client_is_complete()
 * tells whether one was read.
 */
int control_client_pause(struct control_client *client, const struct view **view_out, struct error *error);

/* Whether all pages and translations read through the view are of the last pause. */
bool control_client_is_complete(const struct control_client *client);

struct control_pause_time {
	uint64_t vm_ns;     /* length of the pause, by the VM's clock; 0: the VM ended */
	uint64_t client_ns; /* from the PAUSE request to the reply to RESUME */
};

/*
 * Ends the pause. A VM that ended during the pause is no error: its memory did not change any more. ERROR_HOST
 * if the pause had expired: what was read may be inconsistent.
 */
int control_client_resume(struct control_client *client, struct control_pause_time *out, struct error *error);

/* Ends the hold of `kvmap run --hold`: the VM exits. ERROR_INPUT if it is not held at its end. */
int control_client_end_hold(struct control_client *client, struct error *error);

#endif
