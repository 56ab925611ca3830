/* SPDX-License-Identifier: MIT */
/*
 * socket_path.h: paths of control sockets, by which a VM is found by its PID.
 *
 * FOLDER/PID.sock, where FOLDER is $XDG_RUNTIME_DIR/kvmap, or /tmp/kvmap-UID without that variable: a folder
 * that only this user may enter. If a VM listens at another path, FOLDER has a symbolic link to it.
 */
#ifndef VMM_CONTROL_SOCKET_PATH_H
#define VMM_CONTROL_SOCKET_PATH_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* FOLDER/PID.sock of this process. Creates FOLDER; ERROR_PERMISSION if another user could write to it. */
int control_socket_path_own(char *out, size_t size, struct error *error);

/* Makes a link at `mine` to the socket at `path`, replacing a stale one. The caller removes it. */
int control_socket_path_link(const char *mine, const char *path, struct error *error);

/*
 * The path of the socket of process `pid`, of any user. ERROR_INPUT if there is no such process, or it has no
 * control socket.
 */
int control_socket_path_of_pid(uint32_t pid, char *out, size_t size, struct error *error);

struct control_socket_path {
	uint32_t pid;
	char path[128];
};

/* Lists the paths in this user's folders by PID, stale ones too. Their number (*out is to be freed), or -1. */
int control_socket_path_list(struct control_socket_path **out, struct error *error);

/* Whether the path is a socket at which no process listens, or a link to one. */
bool control_socket_is_stale(const char *path);

/*
 * Connects to the socket at `path`, where sending and receiving time out after these seconds. The descriptor, or -1:
 * ERROR_INPUT if no VM listens there, ERROR_PERMISSION if this user may not connect.
 */
int control_socket_connect(const char *path, unsigned int seconds, struct error *error);

#endif
