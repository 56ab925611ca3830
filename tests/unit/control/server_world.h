/* SPDX-License-Identifier: MIT */
/*
 * server_world.h: a server of a fake VM, in a folder of its own.
 */
#ifndef TESTS_UNIT_CONTROL_SERVER_WORLD_H
#define TESTS_UNIT_CONTROL_SERVER_WORLD_H

#include "control/client.h"
#include "control/server.h"
#include "fake_vm.h"

extern char folder[], path[64]; /* of the socket */
extern struct fake_vm fake;
extern struct control_server *server;
extern struct error error;

void server_world_start(void);
void server_world_end(void);

struct control_client *attach(void);
/* A connected socket, without a client. */
int raw_connect(void);
struct control_request_header request_of(uint16_t type);

#endif
