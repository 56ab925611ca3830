/* SPDX-License-Identifier: MIT */
/*
 * private_file.h: a copy of a file in memory of this process. Each byte is read once; what is written to the
 * file later, or a truncation, changes nothing here.
 */
#ifndef VMM_BASE_PRIVATE_FILE_H
#define VMM_BASE_PRIVATE_FILE_H

#include "base/error.h"

#include <stddef.h>

/* Bytes. Larger files are refused. */
#define PRIVATE_FILE_MAX (4ull << 30)

struct private_file {
	int fd; /* a memfd with the copy; -1: closed */
	size_t size;
	uint8_t *bytes; /* read-only */
	char name[256]; /* the path, escaped, for messages */
};

/*
 * Reads the regular file at `path`, of 1 to PRIVATE_FILE_MAX bytes. Holes stay holes. `what` precedes its name
 * in messages: "guest program ", or "". ERROR_INPUT if it is not such a file or changes meanwhile,
 * ERROR_PERMISSION, or ERROR_HOST.
 */
int private_file_read(const char *path, const char *what, struct private_file *out, struct error *error);

/* A closed file is allowed. */
void private_file_close(struct private_file *file);

#endif
