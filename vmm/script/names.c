/* SPDX-License-Identifier: MIT */
#include "script/names.h"

#include "base/spelling.h"
#include "kvmap/boot.h"
#include "kvmap/bugs.h"
#include "kvmap/gfp.h"
#include "kvmap/operation.h"
#include "script/script.h"

#include <stdio.h>
#include <string.h>

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
	{ "vmalloc", KVMAP_FUNCTION_VMALLOC },       { "vzalloc", KVMAP_FUNCTION_VZALLOC },
	{ "kmalloc", KVMAP_FUNCTION_KMALLOC },       { "alloc_pages", KVMAP_FUNCTION_ALLOC_PAGES },
	{ "nothing", KVMAP_FUNCTION_NOTHING },       { "vmalloc_huge", KVMAP_FUNCTION_VMALLOC_HUGE },
	{ "kvmalloc", KVMAP_FUNCTION_KVMALLOC },     { "vmap", KVMAP_FUNCTION_VMAP },
	{ "vm_map_ram", KVMAP_FUNCTION_VM_MAP_RAM }, { NULL, 0 },
};

#define POLICY_NAME(name, value, word) { word, value },
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
	size_t used = 0;

	out[0] = '\0';
	for (const struct name *row = table; row->name && used < size; row++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", row == table ? "" : ", ",
					 row->name);
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
