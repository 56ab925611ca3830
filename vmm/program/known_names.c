/* SPDX-License-Identifier: MIT */
/* known_names.c: a list, searched from the start: an expression and its types have only a few names. */
#include "program/known_names.h"
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

struct known_name {
	bool is_variable;
	enum expression_tag tag;
	char name[EXPRESSION_NAME_MAX], file[EXPRESSION_NAME_MAX];
	struct name_result result;
};

void known_names_destroy(struct known_names *names)
{
	free(names->items);
	*names = (struct known_names){ 0 };
}

const struct name_result *known_names_find(const struct known_names *names, const struct name_search *search)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct known_name *known = &names->items[i];

		if (known->is_variable == search->is_variable && known->tag == search->tag &&
		    !strcmp(known->name, search->name) && !strcmp(known->file, search->file))
			return &known->result;
	}
	return NULL;
}

void known_names_add(struct known_names *names, const struct name_search *search,
		     const struct name_result *result)
{
	struct known_name known = {
		.is_variable = search->is_variable,
		.tag = search->tag,
		.result = *result,
	};
	size_t name = strlen(search->name), file = strlen(search->file);

	if (name >= sizeof(known.name) || file >= sizeof(known.file))
		return;
	memcpy(known.name, search->name, name);
	memcpy(known.file, search->file, file);
	(void)array_push(names, known);
}
