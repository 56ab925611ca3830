/* SPDX-License-Identifier: MIT */
/*
 * runs.c: exec-to-exit times of commands, taken in turn (A B C A B C ...), so that drift of the machine meets
 * all alike.
 *
 * Usage: kvmap-bench-runs COUNT NAME COMMAND [NAME COMMAND]...; a COMMAND is one string, split at spaces.
 * Prints the median, the ratio of each median to the first one's, the median of the ratios pair by pair, and
 * the peak memory.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX  8
#define ARGUMENTS_MAX 16

extern char **environ;

struct bench {
	const char *name;
	char *arguments[ARGUMENTS_MAX + 1];
	double *milliseconds;
	double *ratios; /* to the first command of the same turn */
	long peak_kib;
	int status;
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static int run_once(struct bench *bench, double *milliseconds_out)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	double start;
	int status, result;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	start = now_ms();
	result = posix_spawn(&pid, bench->arguments[0], &actions, NULL, bench->arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (result || wait4(pid, &status, 0, &usage) != pid) {
		fprintf(stderr, "kvmap-bench-runs: cannot run %s\n", bench->arguments[0]);
		return -1;
	}
	*milliseconds_out = now_ms() - start;
	bench->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (usage.ru_maxrss > bench->peak_kib)
		bench->peak_kib = usage.ru_maxrss;
	return 0;
}

static int measure(struct bench *benches, int commands, int count)
{
	double ignored;

	for (int turn = -1; turn < count; turn++) {
		for (int i = 0; i < commands; i++) {
			/* Turn -1 warms caches. */
			double *out = turn < 0 ? &ignored : &benches[i].milliseconds[turn];

			if (run_once(&benches[i], out) < 0)
				return -1;
			if (turn >= 0)
				benches[i].ratios[turn] = *out / benches[0].milliseconds[turn];
		}
	}
	return 0;
}

static void split(char *text, char **arguments)
{
	int count = 0;

	for (char *word = strtok(text, " "); word && count < ARGUMENTS_MAX; word = strtok(NULL, " "))
		arguments[count++] = word;
}

int main(int argc, char **argv)
{
	struct bench benches[COMMANDS_MAX] = { 0 };
	int count = argc > 1 ? atoi(argv[1]) : 0;
	int commands = (argc - 2) / 2;
	double first;

	if (count < 1 || commands < 1 || commands > COMMANDS_MAX || argc % 2) {
		fprintf(stderr, "Usage: kvmap-bench-runs COUNT NAME COMMAND [NAME COMMAND]...\n");
		return 2;
	}
	for (int i = 0; i < commands; i++) {
		benches[i].name = argv[2 + 2 * i];
		split(argv[3 + 2 * i], benches[i].arguments);
		benches[i].milliseconds = calloc((size_t)count, sizeof(double));
		benches[i].ratios = calloc((size_t)count, sizeof(double));
		if (!benches[i].milliseconds || !benches[i].ratios)
			return 2;
	}
	if (measure(benches, commands, count) < 0)
		return 2;
	first = median(benches[0].milliseconds, count);
	for (int i = 0; i < commands; i++) {
		double ms = median(benches[i].milliseconds, count);

		printf("%-14s %8.2f ms   %6.2f x of %s (pair by pair %.2f)   peak %ld KiB   exit %d\n",
		       benches[i].name, ms, ms / first, benches[0].name, median(benches[i].ratios, count),
		       benches[i].peak_kib, benches[i].status);
		free(benches[i].milliseconds);
		free(benches[i].ratios);
	}
	return 0;
}
