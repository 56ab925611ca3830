/* SPDX-License-Identifier: MIT */
/*
 * lines.c: the lines of JSON that the commands of a lab print.
 */
#include "lab/lab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add_line(struct lab_lines *lines, struct json_tokener *tokener, unsigned int run, const char *text,
		    size_t length, struct error *error)
{
	struct json_object *object;

	json_tokener_reset(tokener);
	object = json_tokener_parse_ex(tokener, text, (int)length);
	if (!object || json_object_get_type(object) != json_type_object) {
		json_object_put(object);
		return error_set(error, ERROR_INPUT, 0, 0, "run %u printed a line that is no JSON object",
				 run);
	}
	json_object_object_add(object, "run", json_object_new_int((int)run));
	if (array_push(&lines->objects, object) < 0) {
		json_object_put(object);
		return error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for the report of run %u", run);
	}
	return 0;
}

int lab_lines_add(struct lab_lines *lines, unsigned int run, const char *text, size_t length,
		  struct error *error)
{
	struct json_tokener *tokener = json_tokener_new();
	int result = 0;

	if (!tokener)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for the report of run %u", run);
	while (length && result == 0) {
		const char *end = memchr(text, '\n', length);
		size_t line = end ? (size_t)(end - text) : length;

		if (line)
			result = add_line(lines, tokener, run, text, line, error);
		text += line + !!end;
		length -= line + !!end;
	}
	json_tokener_free(tokener);
	return result;
}

const char *lab_member(struct json_object *object, const char *member)
{
	struct json_object *value;

	return json_object_object_get_ex(object, member, &value) && value ? json_object_get_string(value)
									  : NULL;
}

void lab_lines_remove(struct lab_lines *lines, unsigned int run)
{
	size_t kept = 0;

	for (size_t i = 0; i < lines->objects.count; i++) {
		struct json_object *object = lines->objects.items[i];

		if (strtoul(lab_member(object, "run"), NULL, 10) == run)
			json_object_put(object);
		else
			lines->objects.items[kept++] = object;
	}
	lines->objects.count = kept;
}

void lab_lines_destroy(struct lab_lines *lines)
{
	for (size_t i = 0; i < lines->objects.count; i++)
		json_object_put(lines->objects.items[i]);
	free(lines->objects.items);
	*lines = (struct lab_lines){ 0 };
}
