/* SPDX-License-Identifier: MIT */
/*
 * linux.c: reads figures/linux-vmalloc.tsv: comment lines that begin with #; a line of titles; then rows of
 * operation, size, and instructions by kernel, separated by tabs.
 */
#include "base/array.h"
#include "base/data_path.h"
#include "base/number.h"
#include "bench/internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parses a row. False if it is malformed. */
static bool figure_parse(char *line, struct linux_figure *out)
{
	char *rest = line, *word = strsep(&rest, "\t");
	uint64_t value;

	*out = (struct linux_figure){ .best = UINT64_MAX };
	if (!rest ||
	    (size_t)snprintf(out->operation, sizeof(out->operation), "%s", word) >= sizeof(out->operation))
		return false;
	word = strsep(&rest, "\t");
	if (!rest || (size_t)snprintf(out->size, sizeof(out->size), "%s", word) >= sizeof(out->size) ||
	    number_parse(word, strlen(word), &out->bytes) != NUMBER_OK)
		return false;
	while ((word = strsep(&rest, "\t"))) {
		if (number_parse(word, strlen(word), &value) != NUMBER_OK || !value)
			return false;
		if (value < out->best)
			out->best = value;
	}
	return true;
}

static int rows_read(FILE *file, const char *path, struct linux_figures *out, struct error *error)
{
	bool titles_seen = false;
	struct linux_figure figure;
	unsigned int number = 0;
	char line[512];

	while (fgets(line, sizeof(line), file)) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#')
			continue;
		if (!titles_seen) {
			titles_seen = true;
			continue;
		}
		if (!figure_parse(line, &figure))
			return error_set(error, ERROR_INPUT, 0, 0,
					 "%s:%u: not operation, size and instructions between tabs", path,
					 number);
		if (array_push(out, figure) < 0)
			return error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for Linux's figures");
	}
	return 0;
}

int linux_figures_read(struct linux_figures *out, struct error *error)
{
	struct linux_figures figures = { 0 };
	char path[PATH_MAX];
	FILE *file;
	int result;

	if (data_path_find("figures/linux-vmalloc.tsv", path, sizeof(path), error) < 0)
		return -1;
	file = fopen(path, "r");
	if (!file)
		return error_set(error, ERROR_INPUT, errno, 0, "cannot read %s", path);
	result = rows_read(file, path, &figures, error);
	fclose(file);
	if (result < 0) {
		free(figures.items);
		return -1;
	}
	*out = figures;
	return 0;
}
