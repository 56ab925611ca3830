/* SPDX-License-Identifier: MIT */
#include "script/names.h"

#include "kvmap/operation.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 24 /* longer than every word of the language */

const struct name access_names[] = {
	{ "read", KVMAP_ACCESS_READ },
	{ "write", KVMAP_ACCESS_WRITE },
	{ "execute", KVMAP_ACCESS_EXECUTE },
	{ NULL, 0 },
};

const struct name crash_names[] = {
	{ "triple-fault", KVMAP_CRASH_TRIPLE_FAULT },
	{ "emulation", KVMAP_CRASH_EMULATION },
	{ "mmio", KVMAP_CRASH_MMIO },
	{ "hang", KVMAP_CRASH_HANG },
	{ "oops", KVMAP_CRASH_OOPS },
	{ NULL, 0 },
};

const struct name fault_kind_names[] = {
	{ "guard", KVMAP_FAULT_GUARD },
	{ "freed", KVMAP_FAULT_FREED },
	{ "null", KVMAP_FAULT_NULL },
	{ "readonly", KVMAP_FAULT_READONLY },
	{ "noexecute", KVMAP_FAULT_NOEXECUTE },
	{ "unmapped", KVMAP_FAULT_UNMAPPED },
	{ NULL, 0 },
};

const struct name function_names[] = {
	{ "vmalloc", KVMAP_FUNCTION_VMALLOC },
	{ "vzalloc", KVMAP_FUNCTION_VZALLOC },
	{ "kmalloc", KVMAP_FUNCTION_KMALLOC },
	{ "alloc_pages", KVMAP_FUNCTION_ALLOC_PAGES },
	{ NULL, 0 },
};

const struct name fault_names[] = {
	{ "guard-mapped", 1 },  { "shared-frame", 2 }, { "lost-frame", 3 },     { "free-and-mapped", 4 },
	{ "writable-text", 5 }, { "frame-order", 6 },  { "stray-mapping", 7 },  { "tree-order", 8 },
	{ "table-as-data", 9 }, { "account-off", 10 }, { "missing-flush", 11 }, { "damaged-bytes", 12 },
	{ "missing-ipi", 13 },  { NULL, 0 },
};

const struct name *name_find(const struct name *table, const char *word, size_t length)
{
	for (; table->name; table++)
		if (strlen(table->name) == length && !memcmp(table->name, word, length))
			return table;
	return NULL;
}

const char *name_list(const struct name *table, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (const struct name *row = table; row->name && used < size; row++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", row == table ? "" : ", ",
					 row->name);
	return out;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: Levenshtein's distance with swaps of neighbours, over three rows of its matrix.
 */
size_t name_distance(const char *word, size_t length, const char *name)
{
	size_t rows[3][WORD_MAX + 1];
	size_t name_length = strlen(name);

	if (length > WORD_MAX || name_length > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= name_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= length; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= name_length; j++) {
			row[j] = least(least(row[j - 1], above[j]) + 1,
				       above[j - 1] + (word[i - 1] != name[j - 1]));
			if (i > 1 && j > 1 && word[i - 1] == name[j - 2] && word[i - 2] == name[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[length % 3][name_length];
}

size_t name_tolerance(size_t length)
{
	return length / 3 ? length / 3 : 1;
}

const struct name *name_nearest(const struct name *table, const char *word, size_t length)
{
	const struct name *best = NULL;
	size_t best_distance = name_tolerance(length) + 1;

	for (; table->name; table++) {
		size_t distance = name_distance(word, length, table->name);

		if (distance < best_distance && distance < length) {
			best = table;
			best_distance = distance;
		}
	}
	return best;
}
