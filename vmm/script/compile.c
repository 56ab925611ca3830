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
	script->length = length;
	script->text_size = length + 1;
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
	free(script->lines.items);
	free(script->path);
	free(script->text);
	free(script);
}

struct place compile_place(const struct script *script, uint32_t line, uint32_t column)
{
	struct place place = { .line = script->text + script->lines.items[line - 1], .number = line };

	place.length = strcspn(place.line, "\r\n");
	place.at = place.line + column;
	return place;
}

int compile_operation(struct compile *compile, const char *at, const struct kvmap_operation *operation)
{
	struct script *script = compile->script;

	if (script->operations.count == SCRIPT_OPERATIONS_MAX)
		return compile_error(compile, at, "one operation too many; at most %d are allowed",
				     SCRIPT_OPERATIONS_MAX);
	return array_push(&script->operations, *operation) < 0 ? compile_error_memory(compile) : 0;
}

/* Compiles the lines of the text from byte `start` on, which begins a line. */
static int compile_lines(struct compile *compile, size_t start)
{
	struct script *script = compile->script;
	const char *text = script->text + start, *end = script->text + script->length;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;
		size_t length = (size_t)(line_end - text);

		if (length && text[length - 1] == '\r')
			length--;
		if (array_push(&script->lines, (size_t)(text - script->text)) < 0)
			return compile_error_memory(compile);
		compile->now = (struct place){ text, length, (uint32_t)script->lines.count, text };
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

static int diagnose_no_end(struct compile *compile, const struct script_block *block)
{
	const struct place place = compile_place(compile->script, block->line, block->column);

	if (block->parallel)
		return compile_error_at(compile, &place,
					"this parallel has no end; write 'end' below what runs at once");
	return compile_error_at(compile, &place,
				"this repeat has no end; write 'end' below what is repeated");
}

static int compile_all(struct compile *compile)
{
	const struct script *script = compile->script;

	if (is_empty(script->text, script->length)) {
		compile->context = NULL; /* there is no line to show */
		compile->now = (struct place){ script->text, 0, 1, script->text };
		return compile_error(compile, script->text,
				     "the script is empty; one that does nothing is a comment: # nothing");
	}
	if (compile_lines(compile, 0) < 0)
		return -1;
	if (script->block_count)
		return diagnose_no_end(compile, &script->blocks[script->block_count - 1]);
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
		.text = script->length,
		.lines = script->lines.count,
		.operations = script->operations.count,
		.strings = script->strings.count,
		.variables = script->variables.count,
	};
}

void script_rewind(struct script *script, const struct script_mark *mark)
{
	script->length = mark->text;
	script->text[mark->text] = '\0';
	script->lines.count = mark->lines;
	script->block_count = 0;
	script->operations.count = mark->operations;
	script->strings.count = mark->strings;
	while (script->variables.count > mark->variables)
		free(script->variables.items[--script->variables.count]);
}

static int reserve_text(struct script *script, size_t size)
{
	size_t wanted = size > 2 * script->length ? size : 2 * script->length;
	char *grown;

	if (size <= script->text_size)
		return 0;
	grown = realloc(script->text, wanted);
	if (!grown)
		return -1;
	script->text = grown;
	script->text_size = wanted;
	return 0;
}

/* Appends whole lines to the script's text. *start_out: where they begin. -1 when memory is out. */
static int append_text(struct script *script, const char *text, size_t length, size_t *start_out)
{
	size_t at = script->length;

	if (reserve_text(script, at + length + 3) < 0)
		return -1;
	if (at && script->text[at - 1] != '\n')
		script->text[at++] = '\n';
	*start_out = at;
	memcpy(script->text + at, text, length);
	at += length;
	if (length && script->text[at - 1] != '\n')
		script->text[at++] = '\n';
	script->text[at] = '\0';
	script->length = at;
	return 0;
}

static int append_lines(struct compile *compile, const char *text, size_t length, uint32_t cpus)
{
	struct script *script = compile->script;
	size_t first = script->operations.count, start;
	/* Seeds are numbered once a block is unrolled. */
	size_t unnumbered = script->block_count ? script->blocks[0].start : first;

	if (append_text(script, text, length, &start) < 0)
		return compile_error_memory(compile);
	if (compile_lines(compile, start) < 0 || head_check_cpus(compile, first, cpus) < 0)
		return -1;
	if (script->block_count)
		return SCRIPT_OPEN;
	number_seeds(script, unnumbered);
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
	const unsigned int block_count = script->block_count;
	struct script_block blocks[SCRIPT_BLOCKS_MAX];
	int result;

	if (context_out && context_size)
		context_out[0] = '\0';
	if (memchr(text, '\0', length))
		return error_set(error, ERROR_INPUT, 0, 0, "a NUL byte: operations are text");
	memcpy(blocks, script->blocks, sizeof(blocks));
	result = append_lines(&compile, text, length, cpus);
	if (result < 0) {
		script_rewind(script, &before);
		script->block_count = block_count;
		memcpy(script->blocks, blocks, sizeof(blocks));
	}
	return result;
}
