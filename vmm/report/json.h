/* SPDX-License-Identifier: MIT */
/*
 * json.h: JSON lines, for the files of vmm/report, and for commands whose report is a few lines.
 *
 * A line is made with json_start(), members are added, and json_finish() writes and frees it. When memory is
 * out a member or the line is missing and the stream's error flag is not set; every line that appears is
 * whole.
 */
#ifndef VMM_REPORT_JSON_H
#define VMM_REPORT_JSON_H

#include "report/report.h"
#include "view/view.h"

#include <json-c/json.h>

/* Begins {"schema":"kvmap/1","type":TYPE,"seq":N and increments N, *report->seq. */
struct json_object *json_start(struct report *report, const char *type);
void json_finish(struct report *report, struct json_object *line);

void json_add_string(struct json_object *object, const char *key, const char *text);
void json_add_number(struct json_object *object, const char *key, uint64_t value);
/* "0xffffc90000000000" */
void json_add_hex(struct json_object *object, const char *key, uint64_t value);
void json_add_bool(struct json_object *object, const char *key, bool value);
/* An array of the names of registers; `lacks` is of enum view_lacks. */
void json_add_not_known(struct json_object *object, const char *key, unsigned int lacks);

/* The text as a JSON string that is valid UTF-8; any other byte as \xNN. */
struct json_object *json_text(const char *text);
struct json_object *json_hex(uint64_t value);

#endif
