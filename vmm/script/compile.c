/* SPDX-License-Identifier: MIT */
#include "script/compile.h"

#include "base/array.h"
#include "script/head.h"
#include "script/line.h"

#include <stdlib.h>
#include <string.h>

/* The mark that some editors put at the start of UTF-8 text. */
static const char byte_order_mark[] = "\xef\xbb\xbf";

static bool is_empty(const char *text, size_t length)
{
	while (length && (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r')) {
		text++;
		length--;
	}
	return !length;
}

static struct script *script_create(const char *path, const char *text, size_t length)
{
	struct script *script = calloc(1, sizeof(*script));

	if (!script)
		return NULL;
	script->path = strdup(path);
	script->text = malloc(length + 1);
	if (!script->path || !script->text) {
		script_destroy(script);
		return NULL;
	}
	memcpy(script->text, text, length);
	script->text[length] = '\0';
	return script;
}

void script_destroy(struct script *script)
{
	if (!script)
		return;
	for (size_t i = 0; i < script->variables.count; i++)
		free(script->variables.items[i]);
	free(script->variables.items);
	free(script->operations.items);
	free(script->strings.items);
	free(script->path);
	free(script->text);
	free(script);
}

/* Compiles the lines of the text from byte `start` on, which begins a line. */
static int compile_lines(struct compile *compile, size_t start)
{
	const char *text = compile->script->text + start, *end = compile->script->text + compile->text_length;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;
		size_t length = (size_t)(line_end - text);

		if (length && text[length - 1] == '\r')
			length--;
		compile->now = (struct place){ text, length, compile->now.number + 1, text };
		if (line_compile(compile) < 0)
			return -1;
		text = newline ? newline + 1 : end;
	}
	return 0;
}

/* A fill without a seed gets its place among all operations, so that no two areas look alike. */
static void number_seeds(struct script *script, size_t first)
{
	for (size_t i = first; i < script->operations.count; i++) {
		struct kvmap_operand *seed = &script->operations.items[i].operand[1];

		if (seed->unused == SEED_UNSTATED)
			*seed = (struct kvmap_operand){ .value = i + 1 };
	}
}

static int diagnose_no_end(struct compile *compile, const struct loop *loop)
{
	if (loop->parallel)
		return compile_error_at(compile, &loop->place,
					"this parallel has no end; write 'end' below what runs at once");
	return compile_error_at(compile, &loop->place,
				"this repeat has no end; write 'end' below what is repeated");
}

static int compile_all(struct compile *compile)
{
	const char *text = compile->script->text;

	if (is_empty(text, compile->text_length)) {
		compile->text_length = 0; /* there is no line to show */
		compile->now = (struct place){ text, 0, 1, text };
		return compile_error(compile, text,
				     "the script is empty; one that does nothing is a comment: # nothing");
	}
	if (compile_lines(compile, 0) < 0)
		return -1;
	if (compile->loop_count)
		return diagnose_no_end(compile, &compile->loops[compile->loop_count - 1]);
	number_seeds(compile->script, 0);
	return 0;
}

struct script *script_empty(const char *path)
{
	return script_create(path, "", 0);
}

int script_compile(const char *path, const char *text, size_t length, struct script **out, char *context_out,
		   size_t context_size, struct error *error)
{
	struct compile compile = { .error = error, .context = context_out, .context_size = context_size };

	if (context_out && context_size)
		context_out[0] = '\0';
	if (length >= 3 && !memcmp(text, byte_order_mark, 3)) {
		text += 3;
		length -= 3;
	}
	compile.text_length = length;
	compile.script = script_create(path, text, length);
	if (!compile.script)
		return compile_error_memory(&compile);
	if (compile_all(&compile) < 0) {
		script_destroy(compile.script);
		return -1;
	}
	*out = compile.script;
	return 0;
}

/* ---- a script that grows ---- */

struct script_mark script_mark(const struct script *script)
{
	return (struct script_mark){
		.text = strlen(script->text),
		.operations = script->operations.count,
		.strings = script->strings.count,
		.variables = script->variables.count,
	};
}

void script_rewind(struct script *script, const struct script_mark *mark)
{
	script->text[mark->text] = '\0';
	script->operations.count = mark->operations;
	script->strings.count = mark->strings;
	while (script->variables.count > mark->variables)
		free(script->variables.items[--script->variables.count]);
}

/* Appends whole lines to the script's text. */
static int append_text(struct script *script, size_t before, const char *text, size_t length)
{
	bool cut = before && script->text[before - 1] != '\n';
	char *grown = realloc(script->text, before + length + 3);

	if (!grown)
		return -1;
	script->text = grown;
	grown += before;
	if (cut)
		*grown++ = '\n';
	memcpy(grown, text, length);
	grown += length;
	if (length && grown[-1] != '\n')
		*grown++ = '\n';
	*grown = '\0';
	return 0;
}

static uint32_t lines_of(const char *text)
{
	uint32_t count = 0;

	for (; (text = strchr(text, '\n')); text++)
		count++;
	return count;
}

static int append_lines(struct compile *compile, const struct script_mark *before, uint32_t cpus)
{
	struct script *script = compile->script;
	size_t start = before->text;

	if (start && script->text[start - 1] != '\n')
		start++;
	compile->text_length = strlen(script->text);
	if (compile_lines(compile, start) < 0)
		return -1;
	if (head_check_cpus(compile, before->operations, cpus) < 0)
		return -1;
	if (compile->loop_count)
		return SCRIPT_OPEN;
	number_seeds(script, before->operations);
	return 0;
}

int script_append(struct script *script, const char *text, size_t length, uint32_t cpus, char *context_out,
		  size_t context_size, struct error *error)
{
	struct compile compile = {
		.script = script,
		.error = error,
		.context = context_out,
		.context_size = context_size,
		.appending = true,
	};
	const struct script_mark before = script_mark(script);
	int result;

	if (context_out && context_size)
		context_out[0] = '\0';
	if (memchr(text, '\0', length))
		return error_set(error, ERROR_INPUT, 0, 0, "a NUL byte: operations are text");
	compile.now.number = lines_of(script->text) + (before.text && script->text[before.text - 1] != '\n');
	if (append_text(script, before.text, text, length) < 0)
		return compile_error_memory(&compile);
	result = append_lines(&compile, &before, cpus);
	if (result)
		script_rewind(script, &before);
	return result;
}
