/* SPDX-License-Identifier: MIT */
#include "script/names.h"

#include "base/spelling.h"
#include "base/strbuf.h"
#include "kvmap/boot.h"
#include "kvmap/bugs.h"
#include "kvmap/gfp.h"
#include "kvmap/operation.h"
#include "script/script.h"

#include <stdio.h>
#include <string.h>

#define ACCESS_NAME(NAME, value, word) { word, value },
const struct name access_names[] = { KVMAP_ACCESSES(ACCESS_NAME){ NULL, 0 } };

#define CRASH_NAME(NAME, value, word, help) { word, value },
const struct name crash_names[] = { KVMAP_CRASHES(CRASH_NAME){ NULL, 0 } };

#define FAULT_KIND_NAME(NAME, value, word, description, help) { word, value },
const struct name fault_kind_names[] = { KVMAP_FAULT_KINDS(FAULT_KIND_NAME){ NULL, 0 } };

#define FUNCTION_NAME(NAME, function, value) { #function, value },
const struct name function_names[] = { KVMAP_FUNCTIONS(FUNCTION_NAME){ NULL, 0 } };

#define SHOW_NAME(NAME, value, word) { word, value },
const struct name show_names[] = { KVMAP_SHOWS(SHOW_NAME){ NULL, 0 } };

#define POLICY_NAME(NAME, value, word, help) { word, value },
const struct name policy_names[] = { KVMAP_POLICIES(POLICY_NAME){ NULL, 0 } };

#define GFP_NAME(name, value, meaning) { #name, name },
const struct name gfp_names[] = { KVMAP_GFP_FLAGS(GFP_NAME) KVMAP_GFP_COMBINATIONS(GFP_NAME){ NULL, 0 } };

#define BUG_NAME(function, number, name) { name, number },
const struct name bug_names[] = { KVMAP_BUGS(BUG_NAME){ NULL, 0 } };

const struct name *name_find(const struct name *table, const char *word, size_t length)
{
	for (; table->name; table++)
		if (strlen(table->name) == length && !memcmp(table->name, word, length))
			return table;
	return NULL;
}

const char *name_list(const struct name *table, char *out, size_t size)
{
	struct strbuf list = strbuf_of(out, size);

	for (const struct name *row = table; row->name; row++) {
		if (strbuf_room(&list) < strlen(row->name) + strlen(", , ...")) {
			strbuf_add(&list, ", ...");
			break;
		}
		strbuf_add_item(&list, ", ", "%s", row->name);
	}
	return out;
}

const struct name *name_nearest(const struct name *table, const char *word, size_t length)
{
	const struct name *best = NULL;
	size_t best_distance = spelling_tolerance(length) + 1;

	for (; table->name; table++) {
		size_t distance = spelling_distance(word, length, table->name);

		if (distance < best_distance && distance < length) {
			best = table;
			best_distance = distance;
		}
	}
	return best;
}

static const char *name_of(const struct name *table, uint32_t value)
{
	for (; table->name; table++)
		if (table->value == value)
			return table->name;
	return "?";
}

const char *fault_kind_name(uint16_t kind)
{
	return name_of(fault_kind_names, kind);
}

const char *policy_name(uint32_t policy)
{
	return name_of(policy_names, policy);
}

const char *status_text(uint16_t status)
{
	switch (status) {
#define STATUS_TEXT(name, value, wording)                                                                    \
	case value: return wording;
		KVMAP_STATUSES(STATUS_TEXT)
	}
	return "unknown status";
}
