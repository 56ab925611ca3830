/* SPDX-License-Identifier: MIT */
/*
 * libedit.c: the functions of libedit that this room calls. It is loaded when a person types.
 */
#include "shell/libedit.h"

#include "base/lazy_library.h"

#define FUNCTIONS(X)                                                                                         \
	X(el_end)                                                                                            \
	X(el_get)                                                                                            \
	X(el_gets)                                                                                           \
	X(el_init)                                                                                           \
	X(el_insertstr)                                                                                      \
	X(el_line)                                                                                           \
	X(el_resize)                                                                                         \
	X(el_set)                                                                                            \
	X(history)                                                                                           \
	X(history_end)                                                                                       \
	X(history_init)

LAZY_LIBRARY("libedit.so.2", FUNCTIONS)

int libedit_load(struct error *error)
{
	return lazy_library_load(&lazy_this, error);
}
