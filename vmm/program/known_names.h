/* SPDX-License-Identifier: MIT */
/*
 * known_names.h: cache of the searches for names in the DWARF. A slice repeats the same few searches for each
 * of its elements, and a search reads all of the DWARF if the name is at its end or missing.
 */
#ifndef VMM_PROGRAM_KNOWN_NAMES_H
#define VMM_PROGRAM_KNOWN_NAMES_H

#include "base/array.h"
#include "program/debug_info.h"

/* A search: for a variable, in any file if `file` is empty, or for a type with its tag. */
struct name_search {
	bool is_variable;
	enum expression_tag tag;
	const char *name, *file;
};

struct name_result {
	enum variable_found found; /* for a variable */
	struct variable variable;
	bool has_type; /* for a type */
	struct ctype type;
};

struct known_name;

/* Grows by each new search. Zero-initialised. */
struct known_names {
	ARRAY_OF(struct known_name);
};

void known_names_destroy(struct known_names *names);

/* NULL: not cached. Valid until the next known_names_add. */
const struct name_result *known_names_find(const struct known_names *names, const struct name_search *search);

/* A name that is too long, or for which there is no memory, is not cached. */
void known_names_add(struct known_names *names, const struct name_search *search,
		     const struct name_result *result);

#endif
