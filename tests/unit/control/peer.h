/* SPDX-License-Identifier: MIT */
/*
 * peer.h: the server of a client under test. All replies are in the socket before the client's first request.
 */
#ifndef TESTS_UNIT_CONTROL_PEER_H
#define TESTS_UNIT_CONTROL_PEER_H

#include "control/client.h"

#define MEMORY (64ull << 12)

extern int sockets[2]; /* the client's, the server's */
extern int memory;     /* a file that the client accepts */
extern struct error error;

void peer_start(void);
void peer_end(void);

/* Sends `size` bytes of the reply with `count` descriptors. */
void send_bytes(const struct control_reply *reply, size_t size, const int *fds, size_t count);
void send_reply(struct control_reply reply);
/* A reply without payload. */
void send_status(uint16_t type, uint32_t status);

struct control_reply reply_of(uint16_t type, uint32_t size);
struct control_reply memory_reply(void);

/* The client after a valid hello. */
struct control_client *open_client(void);
/* A pause of a VM without CPUs, whose memory was mapped. */
const struct view *paused(struct control_client *client);

#define ENDED       "the VM ended during the snapshot"
#define SILENT      "the VM does not answer within 5 s"
#define VERSION     "the reply is not of this version of kvmap"
#define OTHER       "the reply of the VM is not to the request"
#define BUSY        "the VM has too many connections: try again"
#define BAD_MEMORY  "the VM does not describe its memory correctly"
#define NOT_IN_FILE "the VM's memory at GPA 0x10000 is not in its file"

/* The whole of `error`, which has neither errno nor address. */
void expect_error(enum error_kind kind, const char *text);
void pause_fails(struct control_client *client, enum error_kind kind, const char *text);

#endif
