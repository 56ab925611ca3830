/* SPDX-License-Identifier: MIT */
/*
 * sample.h: a run that never was, and its report as text.
 */
#ifndef TESTS_UNIT_REPORT_SAMPLE_H
#define TESTS_UNIT_REPORT_SAMPLE_H

#include "kvmap/layout.h"
#include "report/run.h"

#include <json-c/json.h>

#define SAMPLE_AREA 0xffffc90000000000
/* The lazily freed area of 2 pages, after the guard of the first area. */
#define SAMPLE_LAZY (SAMPLE_AREA + 0x10000 + KVMAP_GUARD_SIZE)
#define SAMPLE_END  (SAMPLE_LAZY + 0x2000 + KVMAP_GUARD_SIZE)

/* Everything that a report_run borrows. */
struct sample {
	struct report_run run;
	struct script *script;
	struct report_step steps[8];
	struct claims claims;
	struct claim_area areas[2];
	struct claim_place places[2];
	uint32_t frames[24];
	struct claim_variable variables[2];
	struct claim_flush flushes[1];
	struct range range;
	struct ranges ranges;
	struct verdict verdict;
	struct report_death death;
	struct finding findings[2], further[2];
};

/* A run in which all was well: an area of 16 scattered pages, a guard hit, a lazily freed area. */
void sample_init(struct sample *sample);
void sample_destroy(struct sample *sample);

/* Two findings, whose strings come from a hostile guest. */
void sample_add_findings(struct sample *sample);
/* Two listed claims, and five more, about what the first of them is about. */
void sample_add_further(struct sample *sample);

/* The report, malloc'ed. */
char *report_text_of(const struct sample *sample, enum report_format format, bool colour);

/* All text that a function writes through *report, malloc'ed: report_begin(), the function, report_end(). */
struct report report_begin(enum report_format format, char **text_out, size_t *size_out);
void report_end(struct report *report);

/* Fails the test unless each line is a JSON object with the right schema and seq. The lines, in an array. */
struct json_object *lines_of(const char *text);
/* The n-th line of a type; NULL if there are not so many. Borrowed from lines. */
struct json_object *line_of_type(struct json_object *lines, const char *type, size_t n);
/* A member, as text; "" where it is missing. */
const char *member(struct json_object *line, const char *key);

/* Fails the test if a line is longer than 100 columns, or holds a byte that could hurt a terminal. */
void check_lines(const char *text);
/* Fails the test unless `text` holds `part`, and shows the text. */
void check_holds(const char *text, const char *part);
/* As check_holds, of a part that is made as by printf. */
void check_holds_format(const char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
