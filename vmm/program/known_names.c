/* SPDX-License-Identifier: MIT */
/* known_names.c: a list, since an expression and the types in what it shows have but a few names. */
#include "program/known_names.h"
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

struct known_name {
	bool is_variable;
	enum expression_tag tag;
	char name[EXPRESSION_NAME_MAX], file[EXPRESSION_NAME_MAX];
	struct name_answer answer;
};

void known_names_destroy(struct known_names *names)
{
	free(names->items);
	*names = (struct known_names){ 0 };
}

const struct name_answer *known_names_find(const struct known_names *names,
					   const struct name_question *question)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct known_name *known = &names->items[i];

		if (known->is_variable == question->is_variable && known->tag == question->tag &&
		    !strcmp(known->name, question->name) && !strcmp(known->file, question->file))
			return &known->answer;
	}
	return NULL;
}

void known_names_add(struct known_names *names, const struct name_question *question,
		     const struct name_answer *answer)
{
	struct known_name known = {
		.is_variable = question->is_variable,
		.tag = question->tag,
		.answer = *answer,
	};
	size_t name = strlen(question->name), file = strlen(question->file);

	if (name >= sizeof(known.name) || file >= sizeof(known.file))
		return;
	memcpy(known.name, question->name, name);
	memcpy(known.file, question->file, file);
	(void)array_push(names, known);
}
