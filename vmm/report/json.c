/* SPDX-License-Identifier: MIT */
#include "report/json.h"

#include "base/escape.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct json_object *json_start(struct report *report, const char *type)
{
	struct json_object *line = json_object_new_object();

	json_add_string(line, "schema", "kvmap/1");
	json_add_string(line, "type", type);
	json_add_number(line, "seq", (*report->seq)++);
	return line;
}

void json_finish(struct report *report, struct json_object *line)
{
	const char *text =
		json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text)
		fprintf(report->stream, "%s\n", text);
	json_object_put(line);
}

struct json_object *json_text(const char *text)
{
	size_t length = strlen(text);
	char *valid = malloc(TEXT_ESCAPED_SIZE(length));
	struct json_object *string;

	if (!valid)
		return NULL;
	string = json_object_new_string(text_filter(text, length, valid, TEXT_ESCAPED_SIZE(length)));
	free(valid);
	return string;
}

struct json_object *json_hex(uint64_t value)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_object_new_string(text);
}

void json_add_string(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_text(text));
}

void json_add_number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

void json_add_hex(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_hex(value));
}

void json_add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

void json_add_not_known(struct json_object *object, const char *key, unsigned int lacks)
{
	struct json_object *names = json_object_new_array();
	char text[80], *rest = text, *name;

	view_lacks_text(lacks, text, sizeof(text));
	while ((name = strtok_r(rest, ", ", &rest)))
		json_object_array_add(names, json_object_new_string(name));
	json_object_object_add(object, key, names);
}
