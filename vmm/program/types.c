/* SPDX-License-Identifier: MIT */
/*
 * types.c: wanted members, looked up in the definitions that debug_info finds.
 */
#include "program/types.h"
#include "program/debug_info.h"
#include "program/program_file.h"

#include <stdlib.h>
#include <string.h>

struct search {
	const struct type_wanted *wanted;
	size_t count;
	bool *has;          /* by wanted: the definition being read has it */
	bool *seen;         /* by wanted: some definition has it */
	const char **names; /* by structure; NULL once a definition with all wanted members is found */
	size_t *first;      /* by structure: index of its first wanted member; after the last: count */
	size_t structure_count, missing;
};

static void search_destroy(struct search *search)
{
	free(search->has);
	free(search->seen);
	free(search->names);
	free(search->first);
}

static int search_init(struct search *search, const struct type_wanted *wanted, size_t count)
{
	*search = (struct search){ .wanted = wanted, .count = count };
	search->has = calloc(count + 1, sizeof(*search->has));
	search->seen = calloc(count + 1, sizeof(*search->seen));
	search->names = calloc(count + 1, sizeof(*search->names));
	search->first = calloc(count + 1, sizeof(*search->first));
	if (!search->has || !search->seen || !search->names || !search->first)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (i && !strcmp(wanted[i].structure, wanted[i - 1].structure))
			continue;
		search->names[search->structure_count] = wanted[i].structure;
		search->first[search->structure_count++] = i;
	}
	search->first[search->structure_count] = count;
	search->missing = search->structure_count;
	return 0;
}

static void search_take(struct search *search, size_t i, uint64_t offset, uint64_t size)
{
	if (search->has[i] || !size || offset > UINT32_MAX || size > UINT32_MAX)
		return;
	*search->wanted[i].out = (struct type_member){ (uint32_t)offset, (uint32_t)size };
	search->has[i] = search->seen[i] = true;
}

/* Takes a definition that has all wanted members. False once no structure is missing. */
static bool search_definition(void *context, size_t structure, const struct ctype *type)
{
	struct search *search = context;
	size_t first = search->first[structure], end = search->first[structure + 1];
	struct flat_members members;
	struct member member;
	bool whole = true;

	memset(search->has + first, 0, end - first);
	for (size_t i = first; i < end; i++)
		if (!search->wanted[i].member)
			search_take(search, i, 0, ctype_size(type));
	flat_members_begin(type, &members);
	while (flat_members_next(&members, &member))
		for (size_t i = first; i < end; i++)
			if (search->wanted[i].member && !member.bit_size &&
			    !strcmp(search->wanted[i].member, member.name))
				search_take(search, i, member.offset, ctype_size(&member.type));
	for (size_t i = first; i < end; i++)
		whole = whole && search->has[i];
	if (whole) {
		search->names[structure] = NULL;
		search->missing--;
	}
	return search->missing;
}

static int search_result(const struct search *search, const char *file, struct error *error)
{
	const char *divided = NULL; /* a structure whose wanted members no single definition has */

	for (size_t structure = 0; structure < search->structure_count; structure++) {
		if (!search->names[structure])
			continue;
		if (!divided)
			divided = search->names[structure];
		for (size_t i = search->first[structure]; i < search->first[structure + 1]; i++) {
			const struct type_wanted *wanted = &search->wanted[i];

			if (search->seen[i])
				continue;
			if (!wanted->member)
				return error_set(error, ERROR_INPUT, 0, 0,
						 "%s has no `struct %s` in its debug information", file,
						 wanted->structure);
			return error_set(error, ERROR_INPUT, 0, 0,
					 "%s has no `struct %s` with a member `%s` in its debug information",
					 file, wanted->structure, wanted->member);
		}
	}
	if (divided)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s has several different `struct %s` in its debug information", file,
				 divided);
	return 0;
}

int types_resolve(const struct symbols *symbols, const struct type_wanted *wanted, size_t count,
		  struct error *error)
{
	struct debug_info *info;
	struct search search;
	int result;

	if (debug_info_open(symbols, &info, error) < 0)
		return -1;
	if (search_init(&search, wanted, count) < 0) {
		result = error_set(error, ERROR_HOST, 0, 0, "out of memory");
	} else {
		debug_info_structures(info, search.names, search.structure_count, search_definition, &search);
		result = search_result(&search, symbols_file(symbols)->file.name, error);
	}
	search_destroy(&search);
	debug_info_close(info);
	return result;
}
