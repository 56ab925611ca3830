/* SPDX-License-Identifier: MIT */
/*
 * cores.h: small cores, whole and damaged.
 */
#ifndef TESTS_UNIT_VIEW_CORES_H
#define TESTS_UNIT_VIEW_CORES_H

#include "view/core.h"

#define PAGE 0x1000ull

/* Offsets in the core below. */
#define CORE_SEGMENTS   64 /* program headers: notes, [0, 2 pages), [1M, 1M + 1 page) */
#define CORE_SEGMENT(i) (CORE_SEGMENTS + 56 * (i))
#define CORE_NOTES      CORE_SEGMENT(3)
#define CORE_CONTROL    (CORE_NOTES + 20 + 336) /* the note, after NT_PRSTATUS */
#define CORE_SIZE       (4 * PAGE)

/* A core of one CPU and three pages, written by core_write. CORE_SIZE bytes. */
void core_make(uint8_t *out);

/* An anonymous file with these bytes; *path_out is a path to it. The fd. */
int core_file(const uint8_t *bytes, size_t size, char path_out[64]);

/* core_open of these bytes: -1 with the error's text, or 0 and *view_out. */
int core_open_bytes(const uint8_t *bytes, size_t size, struct view **view_out, struct error *error);

/* An error of core_open_bytes: without an errno, and `text` is all that its text has after the file's name. */
void core_expect_error(const struct error *error, enum error_kind kind, uint64_t address, const char *text);

#endif
