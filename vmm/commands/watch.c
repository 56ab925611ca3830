/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* environ */
#include "commands/watch.h"

#include "base/array.h"
#include "base/signals.h"
#include "commands/commands.h"
#include "commands/progress.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_NS 500000000
#define MARGIN      2  /* columns of a mark */
#define NARROW      62 /* columns: terminals with less have no margin */
#define GONE_SHOWN  10
#define STEP_NS     5000000 /* of waiting for the watcher */

/* A line and the indented ones below it, which continue it where the terminal is narrow. */
struct row {
	size_t first, count; /* of the picture's lines */
	const char *key;     /* its text without blanks and colours, alike at every width of the terminal */
};

/* Text that was printed at one time. */
struct picture {
	char *text; /* with a NUL for each newline */
	char *keys_text;
	ARRAY_OF(const char *) lines;
	ARRAY_OF(struct row) rows;
	ARRAY_OF(const char *) keys; /* sorted */
};

static void picture_destroy(struct picture *picture)
{
	free(picture->text);
	free(picture->keys_text);
	free(picture->lines.items);
	free(picture->rows.items);
	free(picture->keys.items);
	*picture = (struct picture){ 0 };
}

static int split_lines(struct picture *picture)
{
	char *at = picture->text, *end;

	for (; (end = strchr(at, '\n')); at = end + 1) {
		*end = '\0';
		if (array_push(&picture->lines, at) < 0)
			return -1;
	}
	return 0;
}

/* Bytes of a colour at the start of the text. */
static size_t colour_length(const char *text)
{
	return text[0] == '\033' ? strcspn(text, "m") + 1 : 0;
}

/* Appends what the line adds to the key of its row. Returns the key's new end. */
static char *add_key(char *end, const char *line)
{
	while (*line) {
		size_t colour = colour_length(line);

		line += colour;
		if (!colour && *line != ' ')
			*end++ = *line;
		line += !colour;
	}
	*end = '\0';
	return end;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* size: bytes of the text. */
static int split(struct picture *picture, size_t size)
{
	char *end;

	picture->keys_text = end = malloc(size + 1);
	if (!end || split_lines(picture) < 0)
		return -1;
	for (size_t i = 0; i < picture->lines.count; i++) {
		const char *line = picture->lines.items[i];
		struct row row = { i, 1, i ? end + 1 : end };

		if (i && line[colour_length(line)] == ' ') {
			picture->rows.items[picture->rows.count - 1].count++;
			end = add_key(end, line);
			continue;
		}
		end = add_key(i ? end + 1 : end, line);
		if (array_push(&picture->rows, row) < 0 || array_push(&picture->keys, row.key) < 0)
			return -1;
	}
	if (picture->keys.count)
		qsort(picture->keys.items, picture->keys.count, sizeof(picture->keys.items[0]), compare_keys);
	return 0;
}

/* The result of one call of once(). */
struct shot {
	struct picture picture;
	char *errors; /* what it printed to stderr */
	int status;
	bool last;
};

/* Calls once() with stdout and stderr replaced. -1 when memory is out. */
static int shot_take(struct shot *out, int (*once)(void *context, bool *last_out), void *context)
{
	FILE *const terminal = stdout, *const terminal_errors = stderr;
	size_t size, errors_size;
	FILE *memory = open_memstream(&out->picture.text, &size);
	FILE *errors = open_memstream(&out->errors, &errors_size);
	bool failed = !memory || !errors;

	if (!failed) {
		stdout = memory;
		stderr = errors;
		out->status = once(context, &out->last);
		stdout = terminal;
		stderr = terminal_errors;
	}
	failed |= memory && fclose(memory) != 0;
	failed |= errors && fclose(errors) != 0;
	return failed || split(&out->picture, size) < 0 ? -1 : 0;
}

static bool has_row(const struct picture *picture, const struct row *row)
{
	return picture->keys.count && bsearch(&row->key, picture->keys.items, picture->keys.count,
					      sizeof(picture->keys.items[0]), compare_keys);
}

static unsigned int terminal_rows(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > GONE_SHOWN ? size.ws_row : 24;
}

/* Whether lines have no room for a mark before them: those of a map have 60 columns at least. */
static bool is_narrow(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_col < NARROW;
}

/* A line in place of an earlier one. Where there is no room, its mark is in place of the 0x of an address. */
static void put_line(char mark, const char *line, bool narrow)
{
	size_t colour = colour_length(line);

	if (!narrow)
		printf("%c %s\033[K\n", mark, line);
	else if (mark == ' ' || strncmp(line + colour, "0x", 2) != 0)
		printf("%s\033[K\n", line);
	else
		printf("%.*s%c %s\033[K\n", (int)colour, line, mark, line + colour + 2);
}

static void show_gone(const struct picture *before, const struct picture *now, bool narrow)
{
	size_t count = 0;

	for (size_t i = 0; i < before->rows.count && count < GONE_SHOWN; i++) {
		const struct row *row = &before->rows.items[i];
		const char *line = before->lines.items[row->first];

		if (has_row(now, row) || (narrow && strncmp(line + colour_length(line), "0x", 2) != 0))
			continue;
		for (size_t j = 0; j < row->count && count < GONE_SHOWN; j++, count++)
			put_line('-', before->lines.items[row->first + j], narrow);
	}
}

/* From the top of the terminal on; what does not fit above the lines that are gone is cut. */
static void picture_show(const struct picture *before, const struct picture *now)
{
	size_t room = terminal_rows() - GONE_SHOWN - 2, count = now->lines.count;
	const bool narrow = is_narrow();

	fputs(before->text ? "\033[H" : "\033[H\033[J", stdout);
	for (size_t i = 0; i < now->rows.count; i++) {
		const struct row *row = &now->rows.items[i];
		char mark = before->text && !has_row(before, row) ? '+' : ' ';

		for (size_t line = row->first; line < row->first + row->count && line < room; line++)
			put_line(mark, now->lines.items[line], narrow);
	}
	if (count > room)
		printf("  ... and %zu lines more\033[K\n", count - room);
	show_gone(before, now, narrow);
	printf("\033[J");
	fflush(stdout);
}

int watch_check_terminal(struct error *error)
{
	if (isatty(STDOUT_FILENO))
		return 0;
	return error_set(error, ERROR_INPUT, 0, 0, "--watch is for a terminal, which standard output is not");
}

/* Shows one picture after another. Returns the status. */
static int watch_until_last(int (*once)(void *context, bool *last_out), void *context)
{
	const struct timespec interval = { .tv_nsec = INTERVAL_NS };
	struct picture before = { 0 };
	struct shot now = { 0 };
	struct error error;

	while (!signals_received() && !now.last) {
		now = (struct shot){ 0 };
		command_set_margin(is_narrow() ? 0 : MARGIN);
		if (shot_take(&now, once, context) < 0) {
			error_set(&error, ERROR_HOST, 0, 0, "out of memory");
			now.status = command_fail(&error, NULL);
			now.last = true;
		} else if (now.status == EXIT_NOT_DONE) {
			if (!signals_received())
				fputs(now.errors, stderr);
			now.last = true;
		} else {
			picture_show(&before, &now.picture);
		}
		free(now.errors);
		picture_destroy(&before);
		before = now.picture;
		if (!now.last)
			nanosleep(&interval, NULL);
	}
	picture_destroy(&before);
	return now.status;
}

int watch_run(int (*once)(void *context, bool *last_out), void *context)
{
	struct signals_wake before;
	struct error error;
	int status;

	if (watch_check_terminal(&error) < 0)
		return command_fail(&error, NULL);
	before = signals_defer(NULL, NULL);
	progress_end();
	status = watch_until_last(once, context);
	command_set_margin(0);
	/* Ctrl-C is how it ends. Any other signal ends the process, in the shell after its verdict. */
	if (signals_received() == SIGINT)
		signals_forget();
	/* In the shell, of the guest that runs there. */
	if (before.wake)
		signals_defer(before.wake, before.context);
	return status;
}

/* ---- the VM of this process ---- */

pid_t watch_begin(struct error *error)
{
	char pid[24], name[] = "kvmap", command[] = "map", watch[] = "--watch", wait_option[] = "--wait";
	char *const arguments[] = { name, command, watch, wait_option, pid, NULL };
	pid_t watcher;
	int errnum;

	snprintf(pid, sizeof(pid), "%d", getpid());
	errnum = posix_spawn(&watcher, "/proc/self/exe", NULL, NULL, arguments, environ);
	if (errnum)
		return error_set(error, ERROR_HOST, errnum, 0, "--watch cannot start `kvmap map`");
	return watcher;
}

void watch_end(pid_t watcher, bool at_end)
{
	const struct timespec step = { .tv_nsec = STEP_NS };
	bool ended = false;

	while (waitpid(watcher, NULL, WNOHANG) == 0) {
		if (!ended && (!at_end || signals_received())) {
			kill(watcher, SIGTERM);
			ended = true;
		}
		nanosleep(&step, NULL);
	}
}
