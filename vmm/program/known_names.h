/* SPDX-License-Identifier: MIT */
/*
 * known_names.h: names that were looked for in the DWARF, and what was found. A slice asks for the same few
 * names at each of its elements, and each search reads all of the DWARF where the name is at its end or
 * nowhere.
 */
#ifndef VMM_PROGRAM_KNOWN_NAMES_H
#define VMM_PROGRAM_KNOWN_NAMES_H

#include "program/debug_info.h"

/* What was asked: a variable, of any file if `file` is empty, or a type with its tag. */
struct name_question {
	bool is_variable;
	enum expression_tag tag;
	const char *name, *file;
};

struct name_answer {
	enum variable_found found; /* of a variable */
	struct variable variable;
	bool has_type; /* of a type */
	struct ctype type;
};

struct known_name;

/* Grows by each new question; all zero at first. */
struct known_names {
	struct known_name *items;
	size_t count, capacity;
};

void known_names_destroy(struct known_names *names);

/* NULL: it was not asked before. Valid until the next known_names_add. */
const struct name_answer *known_names_find(const struct known_names *names,
					   const struct name_question *question);

/* A name that is too long, or for which there is no memory, is looked for again when it is asked again. */
void known_names_add(struct known_names *names, const struct name_question *question,
		     const struct name_answer *answer);

#endif
