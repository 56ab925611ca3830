/* SPDX-License-Identifier: MIT */
/*
 * world.h: a session without a machine. The linker replaces the machine's functions: records, serial output
 * and view are the test's.
 */
#ifndef TESTS_UNIT_SESSION_WORLD_H
#define TESTS_UNIT_SESSION_WORLD_H

#include "session/expectations.h"
#include "session/internal.h"

#define WORLD_OPERATIONS 6

extern struct session session;

/* A script of WORLD_OPERATIONS lines "operation N" from line 1 on, of which nothing is expected. */
void world_start(void);
void world_end(void);
struct kvmap_operation *world_operation(unsigned int index);

/* The next record of the guest, returned once; `damaged`: none is left, and the channel is damaged. */
void world_record(const struct kvmap_record *record);
extern bool world_damaged;
/* A RESULT of that operation, from CPU 0, with status 0. */
struct kvmap_record world_result(uint32_t operation);
/* Takes the records. */
void world_take(void);

/* The guest's serial output. */
void world_serial(const char *text, size_t length);
/* The machine's view; NULL: machine_view() fails. */
extern const struct view *world_view;

/* The path of control_socket_path_own(), and the descriptor of control_server_at_end(). */
extern char world_own_path[128];
extern int world_resumed;

/* The only finding, or number `index` of them. */
const struct finding *world_finding(size_t index);
void expect_finding(size_t index, const char *claimed, const char *found, const char *where);

#endif
