/* SPDX-License-Identifier: MIT */
/*
 * plain_lines.h: input byte by byte, which a signal interrupts; and its lines, for input that is no terminal.
 */
#ifndef VMM_SHELL_PLAIN_LINES_H
#define VMM_SHELL_PLAIN_LINES_H

#include "base/array.h"

#include <stdbool.h>

enum input_result {
	INPUT_READ,
	INPUT_INTERRUPTED, /* a signal came: signals_received() */
	INPUT_WOKEN,       /* of plain_byte(): another signal came, which ends nothing */
	INPUT_END,
	INPUT_BINARY, /* a line with a NUL byte */
	INPUT_FAILED, /* errno */
};

struct plain_lines {
	int fd;
	char bytes[4096];
	size_t next, count; /* of bytes */
	ARRAY_OF(char) line;
	bool begun; /* a line was read */
};

/* The next byte. */
enum input_result plain_byte(struct plain_lines *lines, char *out);

/*
 * The next line, without its newline (LF or CR LF), valid until the next call. The last one may lack the newline; the first one
 * may begin with the byte order mark of UTF-8, which is dropped.
 */
enum input_result plain_line(struct plain_lines *lines, const char **line_out);

void plain_lines_destroy(struct plain_lines *lines);

#endif
