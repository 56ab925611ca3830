/* SPDX-License-Identifier: MIT */
/*
 * accept.h: the control socket of `run --control`, by which other commands inspect the VM of a session.
 */
#ifndef VMM_SESSION_ACCEPT_H
#define VMM_SESSION_ACCEPT_H

#include "session/session.h"

/* session_config.control: the path at which other commands find it by its process id. */
#define ACCEPT_AUTO "auto"

struct acceptor;

/*
 * Begins to serve connections, in a thread. The machine is booted and not running. The session is borrowed.
 */
int acceptor_start(struct session *session, struct acceptor **out, struct error *error);

/* Closes the socket and all connections. NULL is allowed. */
void acceptor_stop(struct acceptor *acceptor);

/*
 * The VM is at its end and stays there: clients may resume it from now on. False: a client has resumed it
 * before.
 */
bool acceptor_hold(struct acceptor *acceptor);

/* After acceptor_hold(): waits until a client resumes the VM or signals_received(). */
void acceptor_wait(struct acceptor *acceptor);

#endif
