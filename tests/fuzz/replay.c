/* SPDX-License-Identifier: MIT */
/*
 * replay.c: a main for a fuzz target without libFuzzer: takes every file of a folder once. Prints TAP.
 *
 * Usage: fuzz-TARGET FOLDER
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define SEED_MAX (1u << 20)

int __attribute__((weak)) LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static int is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The target gets a copy of its own size, so that a sanitizer sees a read beyond its end. */
static int take_bytes(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	int result;

	if (!copy)
		return -1;
	for (size_t i = 0; i < size; i++)
		copy[i] = bytes[i];
	result = LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	return result;
}

static int take_file(const char *folder, const char *name)
{
	static uint8_t bytes[SEED_MAX + 1];
	char path[4096];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (!file)
		return -1;
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	return size > SEED_MAX ? -1 : take_bytes(bytes, size);
}

int main(int argc, char **argv)
{
	struct dirent **seeds = NULL;
	int count;

	if (argc != 2 || LLVMFuzzerInitialize(&argc, &argv) != 0) {
		printf("Bail out! usage: %s FOLDER\n", argv[0]);
		return 1;
	}
	count = scandir(argv[1], &seeds, is_seed, alphasort);
	if (count <= 0) {
		printf("Bail out! no seeds in %s\n", argv[1]);
		return 1;
	}
	for (int i = 0; i < count; i++) {
		/* Before the input is tried: after a crash the last line names it. */
		printf("# %s\n", seeds[i]->d_name);
		fflush(stdout);
		printf("%sok %d - %s\n", take_file(argv[1], seeds[i]->d_name) ? "not " : "", i + 1,
		       seeds[i]->d_name);
		free(seeds[i]);
	}
	free(seeds);
	printf("1..%d\n", count);
	return 0;
}
