/* SPDX-License-Identifier: MIT */
/*
 * describe.h: name and line of an address (libdwfl).
 */
#ifndef VMM_PROGRAM_DESCRIBE_H
#define VMM_PROGRAM_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct describe;
struct symbols;
struct Dwfl; /* libdwfl's */

/*
 * Describes the whole file of the symbols, at their offset of now. They are borrowed. NULL if libdwfl cannot use the
 * file.
 */
struct describe *describe_open(const struct symbols *symbols);
void describe_close(struct describe *describe);

/* As symbols_describe and symbols_describe_frame. NULL: every address is unknown. */
const char *describe_address(struct describe *describe, uint64_t address, char *out, size_t size);
const char *describe_frame(struct describe *describe, uint64_t pc, bool exact, char *out, size_t size);

/* Whether an address is after the end of a function, and before the next one: it has no frame. */
bool describe_is_padding(struct describe *describe, uint64_t address);

/* libdwfl's handle on the file, until describe_close. */
struct Dwfl *describe_dwfl(const struct describe *describe);

#endif
