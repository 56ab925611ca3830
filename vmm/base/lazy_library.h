/* SPDX-License-Identifier: MIT */
/*
 * lazy_library.h: a shared library that is loaded at the first call of one of its functions, so that a command
 * which needs none of them does not pay for it. The library is not linked: its functions are defined here, under
 * their own names, as jumps. Callers include the library's header and notice nothing.
 *
 *	#define FUNCTIONS(X) X(dwarf_attr) X(dwarf_tag)
 *	LAZY_LIBRARY("libdw.so.1", FUNCTIONS)
 *
 * One library a file, which must not include the library's header.
 */
#ifndef VMM_BASE_LAZY_LIBRARY_H
#define VMM_BASE_LAZY_LIBRARY_H

#include "base/error.h"

#include <stddef.h>

struct lazy_function {
	const char *name;
	void **address; /* where its jump goes: to the code that loads the library, until it is loaded */
};

struct lazy_library {
	const char *file; /* the name for dlopen() */
	const struct lazy_function *functions;
	size_t count;
};

/*
 * Loads the library, unless it is loaded. ERROR_HOST. A caller that can do without it, or report the error, calls
 * this before any function of it.
 */
int lazy_library_load(const struct lazy_library *library, struct error *error);

/* A first call of a function of a library that cannot be loaded calls this with the error; it must not return. */
void lazy_library_begin(void (*missing)(const char *text));

/* Called by the code below. */
void lazy_library_need(const struct lazy_library *library);

/* %r10 and %r11 hold no argument of any function: lazy_first_call loads %r10 and jumps to *%r11. */
#define LAZY_FUNCTION(name)                                                                                  \
	__asm__(".pushsection .text\n"                                                                       \
		".globl " #name "\n"                                                                         \
		".type " #name ", @function\n" #name ":\n"                                                   \
		"	endbr64\n"                                                                                 \
		"	jmp *lazy_address_" #name "(%rip)\n"                                                 \
		"lazy_first_" #name ":\n"                                                                    \
		"	endbr64\n"                                                                                 \
		"	lea lazy_this(%rip), %r10\n"                                                               \
		"	lea lazy_address_" #name "(%rip), %r11\n"                                            \
		"	jmp lazy_first_call\n"                                                                     \
		".size " #name ", . - " #name "\n"                                                           \
		".popsection\n");                                                                            \
	extern const char lazy_first_##name[];                                                               \
	static void *lazy_address_##name __attribute__((used)) = (void *)lazy_first_##name;

#define LAZY_ENTRY(name) { #name, &lazy_address_##name },

/* Defines the functions, and `lazy_this`. */
#define LAZY_LIBRARY(soname, FUNCTIONS)                                                                      \
	FUNCTIONS(LAZY_FUNCTION)                                                                             \
	static const struct lazy_function lazy_functions[] = { FUNCTIONS(LAZY_ENTRY) };                      \
	static const struct lazy_library lazy_this                                                           \
		__attribute__((used)) = { soname, lazy_functions,                                            \
					  sizeof(lazy_functions) / sizeof(lazy_functions[0]) };

#endif
