/* SPDX-License-Identifier: MIT */
/*
 * debug_info.h: variables and types by name, and the composition of types, from the DWARF of the guest's file
 * (libdw). The file may be damaged or hostile: chains of types are bounded, and sizes do not overflow.
 */
#ifndef VMM_PROGRAM_DEBUG_INFO_H
#define VMM_PROGRAM_DEBUG_INFO_H

#include "program/expression.h"
#include "program/symbols.h"

#include <elfutils/libdw.h>

struct debug_info;

/* ERROR_INPUT if the file has no debug information. The symbols are borrowed. */
int debug_info_open(const struct symbols *symbols, struct debug_info **out, struct error *error);
void debug_info_close(struct debug_info *info);

/*
 * A type: that of `die` (or void), an array without its first `dimension` dimensions, and `pointers` times a
 * pointer to it. May be copied; valid until debug_info_close.
 */
struct ctype {
	Dwarf_Die die;
	bool is_void;
	unsigned int dimension;
	unsigned int pointers;
};

enum ctype_kind {
	CTYPE_VOID,
	CTYPE_UNSIGNED, /* integers */
	CTYPE_SIGNED,
	CTYPE_CHAR, /* `char`: text */
	CTYPE_BOOL,
	CTYPE_FLOAT,
	CTYPE_ENUM,
	CTYPE_POINTER,
	CTYPE_ARRAY,
	CTYPE_STRUCT,
	CTYPE_UNION,
	CTYPE_FUNCTION,
	CTYPE_OTHER, /* not a type of C, or a damaged chain of types */
};

/* ---- names ---- */

enum variable_found { VARIABLE_FOUND, VARIABLE_UNKNOWN, VARIABLE_AMBIGUOUS, VARIABLE_WITHOUT_ADDRESS };

struct variable {
	struct ctype type;
	uint64_t address;
	char files[300]; /* VARIABLE_AMBIGUOUS: the files that define it, "'a.c', 'b.c'", escaped */
};

/*
 * Finds a variable of the program, in the named file unless `file` is empty: a file name, or the last parts
 * of a path ("mm/slab.c"). A global variable has precedence over static ones; several static ones are
 * ambiguous. The result is cached.
 */
enum variable_found debug_info_variable(struct debug_info *info, const char *name, const char *file,
					struct variable *out);

/*
 * Finds a type: "struct page", a typedef, "void", or a base type in any spelling of C ("unsigned long int").
 * False if there is none. Prefers a definition to a declaration.
 */
bool debug_info_type(struct debug_info *info, enum expression_tag tag, const char *name, struct ctype *out);

/*
 * Calls `take` for each definition of a structure with one of the names, in the order of the file, until it
 * returns false. `index` is that of the name. One pass for all names. A name that `take` sets to NULL is no
 * longer searched for.
 */
void debug_info_structures(struct debug_info *info, const char *const *names, size_t count,
			   bool (*take)(void *context, size_t index, const struct ctype *type),
			   void *context);

/* Replaces a declaration of a structure or union by its definition, if the program has one. */
void debug_info_complete(struct debug_info *info, struct ctype *type);

/* The name in a DIE itself, not escaped; NULL if it has none. A variable may have its name in another DIE. */
const char *die_own_name(Dwarf_Die *die);

/* ---- types ---- */

/* The type without typedefs and qualifiers. */
struct ctype ctype_strip(const struct ctype *type);
enum ctype_kind ctype_kind(const struct ctype *type);

/* Size in bytes; 0 if unknown (void, an incomplete structure, an array without bound) or impossibly large. */
uint64_t ctype_size(const struct ctype *type);

/* The type that a pointer points to, or that of an array's elements; false for other types. */
bool ctype_target(const struct ctype *type, struct ctype *out);

/* Number of elements of an array; 0 if it has no bound. */
uint64_t ctype_elements(const struct ctype *type);

/* "struct vm_struct *", "u64 [4]", "void (*)()", escaped. Returns out. */
const char *ctype_name(const struct ctype *type, char *out, size_t size);

/* The name of the enumerator, escaped, or NULL. */
const char *ctype_enumerator(const struct ctype *type, uint64_t value, char *out, size_t size);

/* ---- members ---- */

struct member {
	const char *name; /* "" for an anonymous struct or union; not escaped */
	struct ctype type;
	uint64_t offset;         /* bytes in the structure */
	unsigned int bit_offset; /* of a bit field: from the lowest bit of the byte at `offset` */
	unsigned int bit_size;   /* 0: not a bit field */
};

struct members {
	Dwarf_Die next;
	bool more;
	unsigned int left;
};

/* The members of a structure or union, in its order. A member whose offset is not a constant is left out. */
void members_begin(const struct ctype *type, struct members *members);
bool members_next(struct members *members, struct member *out);

#define MEMBERS_NESTING_MAX 8 /* anonymous structs within anonymous unions within ... */

/* The same, with the members of anonymous structs and unions in place of those. Offsets count from `type`. */
struct flat_members {
	struct {
		struct members members;
		uint64_t offset;
	} levels[MEMBERS_NESTING_MAX];
	unsigned int depth;
	unsigned int left; /* of all levels together */
};
void flat_members_begin(const struct ctype *type, struct flat_members *members);
bool flat_members_next(struct flat_members *members, struct member *out);

/* A member by its name, those of anonymous structs and unions too. */
bool ctype_member(const struct ctype *type, const char *name, struct member *out);

#endif
