/* SPDX-License-Identifier: MIT */
/*
 * private_file.h: a copy of a file in memory of this process. Each byte is read once; what is written to the
 * file later, or a truncation, changes nothing here. A part may be left out until it is needed: if the file has
 * changed by then, that is an error.
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
	uint8_t *bytes;            /* read-only */
	char name[256];            /* the path, escaped, for messages */
	struct private_rest *rest; /* what was left out; NULL: nothing */
};

/* Bytes [start, end) of a file. */
struct file_span {
	uint64_t start, end;
};

/* Chooses what is left out of the open file of that size; an empty span for nothing. */
typedef struct file_span private_file_choose(int fd, uint64_t size);

/*
 * Reads the regular file at `path`, of 1 to PRIVATE_FILE_MAX bytes. Holes stay holes. `what` precedes its name
 * in messages: "guest program ", or "". ERROR_INPUT if it is not such a file or changes meanwhile,
 * ERROR_PERMISSION, or ERROR_HOST.
 */
int private_file_read(const char *path, const char *what, struct private_file *out, struct error *error);

/* The same without the span that `choose` returns. Its bytes are 0 in the copy. */
int private_file_read_without(const char *path, const char *what, private_file_choose *choose,
			      struct private_file *out, struct error *error);

/* Reads what was left out. ERROR_INPUT if the file has changed, or an earlier call failed. */
int private_file_complete(const struct private_file *file, struct error *error);

/* A closed file is allowed. */
void private_file_close(struct private_file *file);

#endif
