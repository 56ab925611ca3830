/* SPDX-License-Identifier: MIT */
/*
 * map_owner.c: what may follow --owner.
 */
#include "base/escape.h"
#include "base/spelling.h"
#include "base/strbuf.h"
#include "inspect/map.h"

#include <stdio.h>
#include <string.h>

struct nearest {
	const char *owner;
	size_t distance;
	char name[64];
};

static void consider(struct nearest *nearest, const char *name, size_t length)
{
	char copy[sizeof(nearest->name)];
	size_t distance;

	if (!length || length >= sizeof(copy))
		return;
	memcpy(copy, name, length);
	copy[length] = '\0';
	distance = spelling_distance(nearest->owner, strlen(nearest->owner), copy);
	if (distance >= nearest->distance)
		return;
	nearest->distance = distance;
	memcpy(nearest->name, copy, length + 1);
}

int map_check_owner(const struct memory_map *map, const struct symbols *symbols, const char *owner,
		    struct error *error)
{
	struct nearest nearest = { .owner = owner, .distance = spelling_tolerance(strlen(owner)) + 1 };
	char kinds[200], escaped[100], suggestion[100] = "";
	struct strbuf list = STRBUF(kinds);
	uint64_t ignored;

	for (enum address_kind kind = 0; kind < ADDRESS_KIND_COUNT; kind++) {
		const char *name = address_kind_name(kind);

		if (!strcmp(owner, name))
			return 0;
		strbuf_add_item(&list, ", ", "%s", name);
		consider(&nearest, name, strlen(name));
	}
	for (size_t i = 0; i < map->callers.count; i++) {
		const struct map_caller *caller = &map->callers.items[i];

		if (caller->name_length && caller->name_length == strlen(owner) &&
		    !memcmp(caller->place, owner, caller->name_length))
			return 0;
		consider(&nearest, caller->place, caller->name_length);
	}
	if (symbols && symbols_find(symbols, owner, &ignored, NULL))
		return 0;
	if (*nearest.name)
		snprintf(suggestion, sizeof(suggestion), "; did you mean `%s`?", nearest.name);
	return error_set(
		error, ERROR_INPUT, 0, 0,
		"--owner `%s` is neither a function that allocated an area here nor a kind of range (%s)%s",
		text_escape(owner, strlen(owner), escaped, sizeof(escaped)), kinds, suggestion);
}
