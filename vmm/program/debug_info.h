/* SPDX-License-Identifier: MIT */
/*
 * debug_info.h: variables and types by name, and what a type is made of, from the DWARF of the guest's file
 * (libdw). The file may be damaged or made to hurt: every chain of types is followed only so far, and sizes
 * cannot overflow.
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
 * A type: what `die` says (none: void), of an array without its first `dimension` dimensions, and `pointers`
 * times a pointer to that. Copied freely; valid until debug_info_close.
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
	CTYPE_CHAR, /* of 1 byte, signed or not, that is text: `char` */
	CTYPE_BOOL,
	CTYPE_FLOAT,
	CTYPE_ENUM,
	CTYPE_POINTER,
	CTYPE_ARRAY,
	CTYPE_STRUCT,
	CTYPE_UNION,
	CTYPE_FUNCTION,
	CTYPE_OTHER, /* nothing that C has, or a damaged chain of types */
};

/* ---- names ---- */

enum variable_found { VARIABLE_FOUND, VARIABLE_UNKNOWN, VARIABLE_AMBIGUOUS, VARIABLE_WITHOUT_ADDRESS };

struct variable {
	struct ctype type;
	uint64_t address;
	char files[300]; /* VARIABLE_AMBIGUOUS: those that have one, "'a.c', 'b.c'", escaped */
};

/*
 * A variable of the program, by its file too if that is not empty: by the file's name, or by the last parts
 * of its path ("mm/slab.c"). A global one goes before static ones; several static ones are ambiguous. The
 * first search for a name ends at the first global definition, and what it found is remembered.
 */
enum variable_found debug_info_variable(struct debug_info *info, const char *name, const char *file,
					struct variable *out);

/*
 * "struct page", a typedef, or a base type in any of C's spellings ("unsigned long int"); with "void" too.
 * False if there is none. Prefers a definition to a declaration.
 */
bool debug_info_type(struct debug_info *info, enum expression_tag tag, const char *name, struct ctype *out);

/*
 * Calls `take` with each definition of a structure that has one of the names, and with the name's index, in the
 * order of the file, until it returns false. One pass for all names. A name that `take` sets to NULL is not
 * looked for any longer.
 */
void debug_info_structures(struct debug_info *info, const char *const *names, size_t count,
			   bool (*take)(void *context, size_t index, const struct ctype *type),
			   void *context);

/* Replaces a declaration of a structure or union by its definition, if the program has one. */
void debug_info_complete(struct debug_info *info, struct ctype *type);

/* The name that a DIE itself has, not escaped; NULL if it has none. Variables may take theirs from another DIE. */
const char *die_own_name(Dwarf_Die *die);

/* ---- types ---- */

/* Without typedefs and qualifiers. */
struct ctype ctype_strip(const struct ctype *type);
enum ctype_kind ctype_kind(const struct ctype *type);

/* Bytes; 0 if unknown (void, an incomplete structure, an array without bound), or impossibly large. */
uint64_t ctype_size(const struct ctype *type);

/* What a pointer points to, or the elements of an array; false for other types. */
bool ctype_target(const struct ctype *type, struct ctype *out);

/* Elements of an array; 0 if it has no bound. */
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
	unsigned int bit_size;   /* 0: no bit field */
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
