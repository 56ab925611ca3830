/* SPDX-License-Identifier: MIT */
/*
 * helper.h: compiling a script that stands in a test.
 */
#ifndef TESTS_UNIT_SCRIPT_HELPER_H
#define TESTS_UNIT_SCRIPT_HELPER_H

#include "script/script.h"

/* Fails the test if `text` does not compile. */
struct script *compiled(const char *text);
/* The first operation of it. */
struct kvmap_operation compiled_one(const char *text);
/* Fails the test unless `text` is refused with "t.kvs:" and this message. */
void check_refused(const char *text, const char *message);
void check_refused_bytes(const char *text, size_t length, const char *message);

#endif
