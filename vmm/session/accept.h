/* SPDX-License-Identifier: MIT */
/*
 * accept.h: the VM of `run --control`, as it offers itself to other commands.
 */
#ifndef VMM_SESSION_ACCEPT_H
#define VMM_SESSION_ACCEPT_H

#include "session/session.h"

/* session_config.control: the place where others find it by its process id. */
#define LISTEN_AUTO "auto"

struct listener;

/* The session's machine is booted and stands still; both are borrowed. */
int listener_start(struct session *session, struct listener **out, struct error *error);
/* NULL is allowed. */
void listener_stop(struct listener *listener);

/* Keeps the VM, which has come to its end, until another command lets it go or a signal asks this process to
 * end. */
void listener_hold(struct listener *listener);

#endif
