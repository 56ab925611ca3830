/* SPDX-License-Identifier: MIT */
#include "base/spelling.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WORD_MAX 64 /* longer ones are not compared */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Upper and lower case are the same letter. */
static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment: Levenshtein's distance with swaps of neighbours, over three rows of its matrix.
 */
size_t spelling_distance(const char *word, size_t length, const char *name)
{
	size_t rows[3][WORD_MAX + 1];
	size_t name_length = strlen(name);

	if (length > WORD_MAX || name_length > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= name_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= length; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= name_length; j++) {
			row[j] = least(least(row[j - 1], above[j]) + 1,
				       above[j - 1] + !is_same(word[i - 1], name[j - 1]));
			if (i > 1 && j > 1 && is_same(word[i - 1], name[j - 2]) &&
			    is_same(word[i - 2], name[j - 1]))
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[length % 3][name_length];
}

size_t spelling_tolerance(size_t length)
{
	return length / 3 ? length / 3 : 1;
}
