/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* ppoll */
#include "shell/plain_lines.h"

#include "base/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Waits for input. Signals come only while it waits, so that none comes unnoticed before. */
static enum input_result wait_for_input(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	enum input_result result = INPUT_READ;
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	if (signals_received())
		result = INPUT_INTERRUPTED;
	else if (ppoll(&polled, 1, NULL, &before) < 0)
		result = errno == EINTR ? INPUT_INTERRUPTED : INPUT_FAILED;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}

enum input_result plain_byte(struct plain_lines *lines, char *out)
{
	enum input_result result;
	ssize_t got;

	while (lines->next == lines->count) {
		result = wait_for_input(lines->fd);
		if (result == INPUT_INTERRUPTED && !signals_received())
			return INPUT_WOKEN;
		if (result != INPUT_READ)
			return result;
		got = read(lines->fd, lines->bytes, sizeof(lines->bytes));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? INPUT_FAILED : INPUT_END;
		lines->next = 0;
		lines->count = (size_t)got;
	}
	*out = lines->bytes[lines->next++];
	return INPUT_READ;
}

/* The mark that some editors put at the start of UTF-8 text. */
static size_t mark_length(const char *line)
{
	static const char mark[] = "\xef\xbb\xbf";

	return strncmp(line, mark, strlen(mark)) ? 0 : strlen(mark);
}

enum input_result plain_line(struct plain_lines *lines, const char **line_out)
{
	enum input_result result;
	char byte = 0;

	lines->line.count = 0;
	while ((result = plain_byte(lines, &byte)) == INPUT_WOKEN || (result == INPUT_READ && byte != '\n'))
		if (result == INPUT_READ && array_push(&lines->line, byte) < 0)
			return INPUT_FAILED;
	if (result == INPUT_END && lines->line.count)
		result = INPUT_READ;
	if (result == INPUT_READ && lines->line.count && memchr(lines->line.items, '\0', lines->line.count))
		result = INPUT_BINARY;
	if (lines->line.count && lines->line.items[lines->line.count - 1] == '\r')
		lines->line.count--;
	byte = '\0';
	if (array_push(&lines->line, byte) < 0)
		return INPUT_FAILED;
	*line_out = lines->line.items + (lines->begun ? 0 : mark_length(lines->line.items));
	lines->begun = lines->begun || result == INPUT_READ;
	return result;
}

void plain_lines_destroy(struct plain_lines *lines)
{
	free(lines->line.items);
	lines->line.items = NULL;
	lines->line.count = lines->line.capacity = 0;
}
