/* SPDX-License-Identifier: MIT */
/*
 * file.h: the bytes of a program under test, and files made of such bytes.
 */
#ifndef TESTS_UNIT_PROGRAM_FILE_H
#define TESTS_UNIT_PROGRAM_FILE_H

#include <stddef.h>
#include <stdint.h>

/* The path in an environment variable, which must be set. */
const char *file_named(const char *variable);

/* The bytes of a file, to be freed. */
uint8_t *file_read(const char *path, size_t *size_out);

/* Makes a file of these bytes and writes its path into `path`. Returns its descriptor, to be closed. */
int file_make(const void *bytes, size_t size, char path[64]);

#endif
