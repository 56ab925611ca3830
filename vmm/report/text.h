/* SPDX-License-Identifier: MIT */
/*
 * text.h: lines for people: as wide as the terminal, wrapped, coloured only for a terminal. For the files of vmm/report,
 * and for commands whose report is a few lines.
 *
 * All text of a report is written here, and escaped: a byte that is neither printable ASCII nor part of a
 * well-formed UTF-8 character is written as \xNN.
 */
#ifndef VMM_REPORT_TEXT_H
#define VMM_REPORT_TEXT_H

#include "report/report.h"

#define TEXT_COLUMNS 100 /* where the report does not say */

enum paint { PAINT_PLAIN, PAINT_BOLD, PAINT_GOOD, PAINT_BAD, PAINT_FAINT };

/* An empty line, and a title. */
void text_heading(struct report *report, const char *title);

/* One paragraph: the first line begins after `indent` blanks, those after it, if any, after `hang`. */
void text_line(struct report *report, enum paint paint, unsigned int indent, unsigned int hang,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "12,345". Returns out; 32 bytes are always enough. */
const char *text_count(uint64_t count, char *out, size_t size);
/* "345 ns", "12.3 us", "1.23 ms", "4.56 s". Returns out. */
const char *text_duration(uint64_t ns, char *out, size_t size);
/* " 'a'" for a variable of the script, "" for NULL. Returns out. */
const char *text_variable(const char *name, char *out, size_t size);
/* "1 page", "2 pages", "no entries". Returns out. */
const char *text_number_of(uint64_t count, const char *thing, char *out, size_t size);

#endif
