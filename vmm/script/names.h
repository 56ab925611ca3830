/* SPDX-License-Identifier: MIT */
/*
 * names.h: tables of the words of the language with their values, and the search for the nearest word.
 */
#ifndef VMM_SCRIPT_NAMES_H
#define VMM_SCRIPT_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct name {
	const char *name; /* NULL ends a table */
	uint32_t value;
};

extern const struct name access_names[];     /* enum kvmap_access */
extern const struct name crash_names[];      /* enum kvmap_crash */
extern const struct name fault_kind_names[]; /* enum kvmap_fault_kind, without NONE */
extern const struct name function_names[];   /* enum kvmap_function */
extern const struct name bug_names[];        /* kvmap/bugs.h */
extern const struct name show_names[];       /* enum kvmap_show */
extern const struct name policy_names[];     /* enum kvmap_policy */
extern const struct name gfp_names[];        /* enum kvmap_gfp */

/* The row whose name is the `length` bytes at `word`, or NULL. */
const struct name *name_find(const struct name *table, const char *word, size_t length);

/* Lists the names of a table: "guard, freed, null"; "..." for those that do not fit. Returns out. */
const char *name_list(const struct name *table, char *out, size_t size);

/* The row whose name is nearest to a mistyped word, or NULL if none is near enough. */
const struct name *name_nearest(const struct name *table, const char *word, size_t length);

#endif
