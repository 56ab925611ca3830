/* SPDX-License-Identifier: MIT */
#include "commands/watch.h"

#include "base/array.h"
#include "base/signals.h"
#include "commands/commands.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_NS 500000000
#define GONE_SHOWN  10

/* What was printed at one time, line by line. */
struct picture {
	char *text; /* with a NUL for each newline */
	ARRAY_OF(const char *) lines;
};

static void picture_destroy(struct picture *picture)
{
	free(picture->text);
	free(picture->lines.items);
	*picture = (struct picture){ 0 };
}

static int split(struct picture *picture)
{
	char *at = picture->text, *end;

	for (; (end = strchr(at, '\n')); at = end + 1) {
		*end = '\0';
		if (array_push(&picture->lines, at) < 0)
			return -1;
	}
	return 0;
}

/* Calls once() with stdout replaced. -1 when memory is out. */
static int picture_take(struct picture *out, int (*once)(void *context), void *context, int *status_out)
{
	FILE *terminal = stdout;
	size_t size;
	FILE *memory = open_memstream(&out->text, &size);
	int failed;

	if (!memory)
		return -1;
	stdout = memory;
	*status_out = once(context);
	stdout = terminal;
	failed = fclose(memory) != 0;
	return failed || split(out) < 0 ? -1 : 0;
}

static bool has_line(const struct picture *picture, const char *line)
{
	for (size_t i = 0; i < picture->lines.count; i++)
		if (!strcmp(picture->lines.items[i], line))
			return true;
	return false;
}

static unsigned int terminal_rows(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > GONE_SHOWN ? size.ws_row : 24;
}

/* A line in place of an earlier one. */
static void put_line(char mark, const char *line)
{
	printf("%c %s\033[K\n", mark, line);
}

static void show_gone(const struct picture *before, const struct picture *now)
{
	size_t count = 0;

	for (size_t i = 0; i < before->lines.count && count < GONE_SHOWN; i++) {
		if (has_line(now, before->lines.items[i]))
			continue;
		put_line('-', before->lines.items[i]);
		count++;
	}
}

/* From the top of the terminal on; what does not fit above the lines that are gone is cut. */
static void picture_show(const struct picture *before, const struct picture *now)
{
	size_t room = terminal_rows() - GONE_SHOWN - 2, count = now->lines.count;

	printf("\033[H");
	for (size_t i = 0; i < count && i < room; i++)
		put_line(before->text && !has_line(before, now->lines.items[i]) ? '+' : ' ',
			 now->lines.items[i]);
	if (count > room)
		printf("  ... and %zu lines more\033[K\n", count - room);
	show_gone(before, now);
	printf("\033[J");
	fflush(stdout);
}

int watch_run(int (*once)(void *context), void *context)
{
	const struct timespec interval = { .tv_nsec = INTERVAL_NS };
	struct picture before = { 0 }, now = { 0 };
	struct error error;
	int status = EXIT_NOT_DONE;

	if (!isatty(STDOUT_FILENO)) {
		error_set(&error, ERROR_INPUT, 0, 0,
			  "--watch is for a terminal, which standard output is not");
		return command_fail(&error, NULL);
	}
	signals_defer(NULL, NULL);
	printf("\033[H\033[J");
	while (!signals_received()) {
		if (picture_take(&now, once, context, &status) < 0) {
			error_set(&error, ERROR_HOST, 0, 0, "out of memory");
			status = command_fail(&error, NULL);
			break;
		}
		if (status == EXIT_NOT_DONE)
			break;
		picture_show(&before, &now);
		picture_destroy(&before);
		before = now;
		now = (struct picture){ 0 };
		nanosleep(&interval, NULL);
	}
	picture_destroy(&before);
	picture_destroy(&now);
	/* Ctrl-C is how it ends. */
	if (signals_received() != SIGINT)
		signals_die();
	signals_forget();
	return status;
}
