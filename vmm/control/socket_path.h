/* SPDX-License-Identifier: MIT */
/*
 * socket_path.h: where the control sockets are, so that a VM is found by the number of its process.
 *
 * FOLDER/PID.sock, where FOLDER is $XDG_RUNTIME_DIR/kvmap, or /tmp/kvmap-UID without that variable: a folder
 * of this user that nobody else may enter. The socket of a VM that listens elsewhere has a symbolic link
 * there.
 */
#ifndef VMM_CONTROL_SOCKET_PATH_H
#define VMM_CONTROL_SOCKET_PATH_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* FOLDER/PID.sock of this process; the folder is made. ERROR_PERMISSION if somebody else could write there.
 */
int control_socket_path_own(char *out, size_t size, struct error *error);

/* A link at `mine` to the socket at `path`, replacing one that was left behind. Its caller removes it. */
int control_socket_path_link(const char *mine, const char *path, struct error *error);

/*
 * The path of the socket of process `pid`, of whatever user. ERROR_INPUT if there is no such process, or it
 * is no VM that can be looked at.
 */
int control_socket_path_of_pid(uint32_t pid, char *out, size_t size, struct error *error);

struct control_socket_path {
	uint32_t pid;
	char path[128];
};

/* Those in the folders of this user, stale ones too, by pid: their number, *out to be freed; -1. */
int control_socket_path_list(struct control_socket_path **out, struct error *error);

/* There is a socket, or a link to one, at which nobody listens any more. */
bool control_socket_is_stale(const char *path);

#endif
