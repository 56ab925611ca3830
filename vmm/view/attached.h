/* SPDX-License-Identifier: MIT */
/*
 * attached.h: a view of a VM that another kvmap runs: its memory is mapped here too, read-only and without a
 * copy; registers and KVM's translations come through the control socket (view/control.h).
 *
 * The other process is not trusted: what it sends is checked, waiting for it is bounded, and memory that it
 * could take away is refused.
 */
#ifndef VMM_VIEW_ATTACHED_H
#define VMM_VIEW_ATTACHED_H

#include "view/control.h"

struct attached;

/*
 * Connects to the socket at `path` and asks what VM it is. ERROR_INPUT if nobody listens there,
 * ERROR_PERMISSION if this user may not; ERROR_HOST if what answers is not a kvmap that can be understood.
 */
int attached_open(const char *path, struct attached **out, struct error *error);
/* The same over a socket that is connected, and taken over even on failure. */
int attached_open_socket(int socket, struct attached **out, struct error *error);
/* Ends a pause, too. NULL is allowed. */
void attached_close(struct attached *attached);

/* Valid until attached_close(). */
const struct control_hello *attached_hello(const struct attached *attached);

/* Maps the guest's memory and brings in what the guest has touched so far, so that a pause need not wait for
 * it. */
int attached_map(struct attached *attached, struct error *error);

/*
 * Stops all vCPUs and reads their registers. *view_out is borrowed until attached_close(); it shows one
 * moment until attached_resume(), and its translate works until then.
 */
int attached_pause(struct attached *attached, const struct view **view_out, struct error *error);

/*
 * In a pause: makes the pages of [gpa, gpa + size) stay in the view as they are now, when the VM goes on. -1
 * if that cannot be had; then they have to be read before.
 */
int attached_keep(struct attached *attached, uint64_t gpa, uint64_t size);

struct attached_pause_time {
	uint64_t vm_ns;     /* how long the VM stood still, by its own clock; 0: it ended meanwhile */
	uint64_t client_ns; /* from the request to stop to the answer to the request to go on */
};

/*
 * Lets the vCPUs go on. A VM that ended in the pause is no error: its memory was not changed any more. A
 * pause that was too long and ended by itself is ERROR_HOST: what was read may be of two moments.
 */
int attached_resume(struct attached *attached, struct attached_pause_time *out, struct error *error);

/* Lets a VM that `kvmap run --hold` keeps at its end exit. ERROR_INPUT if it is not kept. */
int attached_let_go(struct attached *attached, struct error *error);

#endif
