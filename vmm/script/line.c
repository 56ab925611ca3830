/* SPDX-License-Identifier: MIT */
#include "script/line.h"

#include "base/array.h"
#include "base/spelling.h"
#include "script/head.h"
#include "script/operations.h"
#include "script/variables.h"

#include <stdio.h>
#include <string.h>

const char *line_code_end(const char *line, size_t length, const char **quote_out)
{
	const char *quote = NULL, *at = line, *end = line + length;

	for (; at < end && (quote || *at != '#'); at++) {
		if (quote && *at == '\\' && at + 1 < end)
			at++;
		else if (*at == '"')
			quote = quote ? NULL : at;
	}
	while (at > line && (at[-1] == ' ' || at[-1] == '\t'))
		at--;
	if (quote_out)
		*quote_out = quote;
	return at;
}

/*
 * Sets compile->end. Rejects lines that are too long, bytes other than printable ASCII and tabs, and open
 * strings.
 */
static int check_bytes(struct compile *compile)
{
	const struct place *line = &compile->now;
	const char *nul = memchr(line->line, '\0', line->length);
	const char *quote;

	if (nul)
		return compile_error(compile, nul, "a NUL byte: this is no text file");
	if (line->length > SCRIPT_LINE_MAX)
		return compile_error(compile, line->line + SCRIPT_LINE_MAX,
				     "a line of %zu bytes; at most %d are allowed", line->length,
				     SCRIPT_LINE_MAX);
	compile->end = line_code_end(line->line, line->length, &quote);
	for (const char *at = line->line; at < compile->end; at++)
		if (*at != '\t' && (*at < 0x20 || *at > 0x7e))
			return compile_error(compile, at,
					     "the byte \\x%02x; outside of comments a script is plain ASCII",
					     (unsigned char)*at);
	if (quote)
		return compile_error(compile, quote, "a text without an end: its closing \" is missing");
	return 0;
}

/* Parses `NAME =`. *assigned: whether there is one; *result_out is then the number of the variable. */
static int take_assignment(struct compile *compile, uint16_t *result_out, bool *assigned)
{
	struct word word = peek_word(compile, false);
	const char *at = word.at + word.length;
	int number;

	at += strspn(at, " \t");
	*assigned = word.length && at < compile->end && *at == '=';
	if (!*assigned)
		return 0;
	number = variable_assign(compile, word);
	if (number < 0)
		return -1;
	*result_out = (uint16_t)number;
	compile->now.at = at + 1;
	return 0;
}

/* NAME OPERATION, without = between them, of an operation with a result: fills in "NAME = OPERATION ...". */
static bool is_without_assignment(struct compile *compile, struct word name, char *out, size_t size)
{
	struct place before = compile->now;
	const struct operation_syntax *syntax;
	char usage[200];

	if (!name.length || name.length > SCRIPT_NAME_MAX || word_is_reserved(name))
		return false;
	compile->now.at = name.at + name.length;
	syntax = operation_find(peek_word(compile, true));
	compile->now = before;
	if (!syntax || !syntax->has_result)
		return false;
	operation_usage(syntax, usage, sizeof(usage));
	snprintf(out, size, "%.*s%s", (int)name.length, name.at, usage + strlen("NAME"));
	return true;
}

static int diagnose_unknown_operation(struct compile *compile, struct word word)
{
	struct word token = peek_token(compile);
	char suggestion[256];

	if (at_line_end(compile))
		return compile_error(compile, compile->end, "an operation is missing here");
	if (word.length == strlen("fault") && !memcmp(word.at, "fault", word.length))
		return compile_error(compile, word.at,
				     "'fault' is no operation; write 'bug NAME' for a deliberate bug, "
				     "'expect fault KIND ADDRESS' for an expected page fault");
	if (is_without_assignment(compile, word, suggestion, sizeof(suggestion)))
		return compile_error(compile, word.at, "'%.*s' is no operation; write: %s", (int)word.length,
				     word.at, suggestion);
	if (word.length && word.length <= token.length && word_is_reserved(word))
		return compile_error(compile, word.at, "expected an operation, got '%.*s'", (int)word.length,
				     word.at);
	return compile_error(compile, token.at, "unknown operation '%.*s'%s", (int)token.length, token.at,
			     operation_suggest(token, compile->appending ? "`help`" : "kvmap-script(5)",
					       suggestion, sizeof(suggestion)));
}

/* [NAME =] OPERATION ... */
static int plain_operation(struct compile *compile, struct kvmap_operation *operation)
{
	const char *start;
	const struct operation_syntax *syntax;
	struct word word;
	bool assigned;

	skip_blanks(compile);
	start = compile->now.at;
	if (take_assignment(compile, &operation->result, &assigned) < 0)
		return -1;
	word = peek_word(compile, true);
	syntax = operation_find(word);
	if (!syntax)
		return diagnose_unknown_operation(compile, word);
	operation_usage(syntax, compile->usage_text, sizeof(compile->usage_text));
	if (assigned && !syntax->has_result)
		return compile_error(compile, start, "%s has no result to assign; write: %s", syntax->name,
				     compile->usage_text);
	if (!assigned && syntax->has_result && operation->expect != KVMAP_EXPECT_REFUSED)
		return compile_error(compile, start, "the result must be assigned to a variable; write: %s",
				     compile->usage_text);
	operation->opcode = syntax->opcode;
	compile->usage = compile->usage_text;
	compile->now.at += word.length;
	return syntax->operands->parse(compile, operation);
}

/* expect fault KIND [ACCESS] ADDRESS */
static int expect_fault(struct compile *compile, struct kvmap_operation *operation)
{
	uint32_t kind, access;
	struct word word;

	compile->usage = "expect fault KIND [read|write|execute] ADDRESS";
	operation->opcode = KVMAP_OP_TOUCH;
	operation->expect = KVMAP_EXPECT_FAULT;
	if (operand_choice(compile, fault_kind_names, "a kind of fault", &kind) < 0)
		return -1;
	operation->fault_kind = (uint16_t)kind;
	access = kind == KVMAP_FAULT_READONLY    ? KVMAP_ACCESS_WRITE
		 : kind == KVMAP_FAULT_NOEXECUTE ? KVMAP_ACCESS_EXECUTE
						 : KVMAP_ACCESS_READ;
	word = peek_word(compile, false);
	if (name_find(access_names, word.at, word.length) &&
	    operand_choice(compile, access_names, "an access", &access) < 0)
		return -1;
	operation->operand[1].value = access;
	return operand_address(compile, &operation->operand[0]);
}

/* Another word than those that may follow. */
static int keyword_error(struct compile *compile, const struct name *table, const char *expected)
{
	struct word token = peek_token(compile);
	const struct name *nearest = name_nearest(table, token.at, token.length);

	if (nearest)
		return compile_error(compile, token.at, "expected %s, got '%.*s'; did you mean '%s'?",
				     expected, (int)token.length, token.at, nearest->name);
	return compile_error(compile, token.at, "expected %s%s%s", expected,
			     compile->usage ? "; write: " : "", compile->usage ? compile->usage : "");
}

static int expectation(struct compile *compile, struct kvmap_operation *operation)
{
	static const struct name expectations[] = { { "fault", 0 }, { "refused", 0 }, { NULL, 0 } };

	if (take_keyword(compile, "fault"))
		return expect_fault(compile, operation);
	if (take_keyword(compile, "refused")) {
		operation->expect = KVMAP_EXPECT_REFUSED;
		return plain_operation(compile, operation);
	}
	return keyword_error(compile, expectations, "'fault' or 'refused' after expect");
}

/* The keyword of a usage, such as seed in "fill VARIABLE [seed NUMBER]", that is nearest to a token; else 0 bytes. */
static struct word usage_nearest(const char *usage, struct word token)
{
	size_t best = spelling_tolerance(token.length) + 1;
	struct word nearest = { usage, 0 };
	char word[40];

	for (size_t length; *usage; usage += length ? length : 1) {
		size_t distance;

		length = strspn(usage, "abcdefghijklmnopqrstuvwxyz_");
		if (!length || length >= sizeof(word))
			continue;
		memcpy(word, usage, length);
		word[length] = '\0';
		distance = spelling_distance(token.at, token.length, word);
		if (distance && distance < best && distance < token.length) {
			best = distance;
			nearest = (struct word){ usage, length };
		}
	}
	return nearest;
}

static int end_of_statement(struct compile *compile)
{
	struct word token, nearest;

	if (at_line_end(compile))
		return 0;
	token = peek_token(compile);
	nearest = usage_nearest(compile->usage, token);
	if (nearest.length)
		return compile_error(compile, token.at, "unexpected '%.*s'; did you mean '%.*s'? write: %s",
				     (int)token.length, token.at, (int)nearest.length, nearest.at,
				     compile->usage);
	return compile_error(compile, token.at, "unexpected '%.*s'; write: %s", (int)token.length, token.at,
			     compile->usage);
}

/* on cpu NUMBER: a prefix of an operation, before `in interrupt` and `expect`. */
static int on_cpu(struct compile *compile, struct kvmap_operation *operation)
{
	static const struct name keywords[] = { { "cpu", 0 }, { NULL, 0 } };
	const char *at;
	uint64_t cpu;

	compile->usage = "on cpu NUMBER OPERATION";
	if (!take_keyword(compile, "cpu"))
		return keyword_error(compile, keywords, "'cpu' after on");
	skip_blanks(compile);
	at = compile->now.at;
	if (operand_number(compile, "the number of a CPU", &cpu) < 0)
		return -1;
	if (cpu >= KVMAP_CPUS_MAX)
		return compile_error(compile, at, "no guest has this CPU; CPU numbers are 0 to %d",
				     KVMAP_CPUS_MAX - 1);
	operation->cpu = (uint16_t)cpu;
	return 0;
}

/* in interrupt: a prefix of an operation, between `on cpu` and `expect`. */
static int in_interrupt(struct compile *compile, struct kvmap_operation *operation)
{
	static const struct name keywords[] = { { "interrupt", 0 }, { NULL, 0 } };

	compile->usage = "in interrupt OPERATION";
	if (!take_keyword(compile, "interrupt"))
		return keyword_error(compile, keywords, "'interrupt' after in");
	operation->context = KVMAP_CONTEXT_INTERRUPT;
	return 0;
}

/* Opens a block, whose first operation comes next. `at`: where messages about it point to. */
static int block_open(struct compile *compile, const char *at, struct script_block block)
{
	struct script *script = compile->script;

	if (script->block_count == SCRIPT_BLOCKS_MAX)
		return compile_error(compile, at, "one %s too many; at most %d may be nested",
				     block.parallel ? "parallel" : "repeat", SCRIPT_BLOCKS_MAX);
	block.line = compile->now.number;
	block.column = (uint32_t)(at - compile->now.line);
	block.start = script->operations.count;
	script->blocks[script->block_count++] = block;
	return end_of_statement(compile);
}

/* repeat TIMES: opens a block; end() unrolls it. */
static int repeat(struct compile *compile)
{
	const char *at;
	uint64_t times;

	compile->usage = "repeat TIMES";
	skip_blanks(compile);
	at = compile->now.at;
	if (operand_number(compile, "a repeat count", &times) < 0)
		return -1;
	if (!times)
		return compile_error(compile, at, "the repeat count must be at least 1");
	return block_open(compile, at, (struct script_block){ .times = times });
}

static bool is_in_parallel(const struct compile *compile)
{
	const struct script *script = compile->script;

	for (unsigned int i = 0; i < script->block_count; i++)
		if (script->blocks[i].parallel)
			return true;
	return false;
}

/* parallel: an operation of its own. end() sets its operand to the number of operations in it. */
static int parallel(struct compile *compile, const char *start)
{
	const struct kvmap_operation operation = { .opcode = KVMAP_OP_PARALLEL,
						   .result = KVMAP_NO_RESULT,
						   .line = compile->now.number };

	compile->usage = "parallel";
	if (is_in_parallel(compile))
		return compile_error(compile, start,
				     "parallel in a parallel: its operations run at the same time already");
	if (compile_operation(compile, start, &operation) < 0)
		return -1;
	return block_open(compile, start, (struct script_block){ .parallel = true, .times = 1 });
}

/* end: closes the innermost block. Unrolls a `repeat` by appending times - 1 copies of its operations. */
static int end(struct compile *compile, const char *start)
{
	struct script *script = compile->script;
	const struct script_block *block;
	struct place place;
	size_t body;

	compile->usage = "end";
	if (!script->block_count)
		return compile_error(compile, start, "end without a repeat or parallel above it");
	if (end_of_statement(compile) < 0)
		return -1;
	block = &script->blocks[--script->block_count];
	body = script->operations.count - block->start;
	if (block->parallel)
		script->operations.items[block->start - 1].operand[0].value = body;
	if (body && block->times - 1 > (SCRIPT_OPERATIONS_MAX - script->operations.count) / body) {
		place = compile_place(script, block->line, block->column);
		return compile_error_at(compile, &place,
					"this repeat makes more than %d operations in all, which is the most",
					SCRIPT_OPERATIONS_MAX);
	}
	for (size_t left = body * (size_t)(block->times - 1); body && left; left--) {
		struct kvmap_operation copy = script->operations.items[script->operations.count - body];

		if (array_push(&script->operations, copy) < 0)
			return compile_error_memory(compile);
	}
	return 0;
}

int line_compile(struct compile *compile)
{
	struct kvmap_operation operation = { .result = KVMAP_NO_RESULT, .line = compile->now.number };
	const char *start;
	bool is_head;

	compile->usage = NULL;
	if (check_bytes(compile) < 0)
		return -1;
	if (at_line_end(compile))
		return 0;
	start = compile->now.at;
	if (head_compile(compile, &is_head) < 0)
		return -1;
	if (is_head)
		return end_of_statement(compile);
	if (take_keyword(compile, "repeat"))
		return repeat(compile);
	if (take_keyword(compile, "parallel"))
		return parallel(compile, start);
	if (take_keyword(compile, "end"))
		return end(compile, start);
	if (take_keyword(compile, "on") && on_cpu(compile, &operation) < 0)
		return -1;
	if (take_keyword(compile, "in") && in_interrupt(compile, &operation) < 0)
		return -1;
	if (take_keyword(compile, "expect") ? expectation(compile, &operation) < 0
					    : plain_operation(compile, &operation) < 0)
		return -1;
	if (end_of_statement(compile) < 0)
		return -1;
	if ((operation.opcode == KVMAP_OP_VERIFY || operation.opcode == KVMAP_OP_SHOW) &&
	    is_in_parallel(compile))
		return compile_error(compile, start, "%s needs all CPUs to be idle; write it below end",
				     operation_name(operation.opcode));
	return compile_operation(compile, start, &operation);
}

const char *script_line(const struct script *script, uint32_t line, char *out, size_t size)
{
	const char *text, *end;

	if (!size)
		return out;
	out[0] = '\0';
	if (!line || line > script->lines.count)
		return out;
	text = script->text + script->lines.items[line - 1];
	text += strspn(text, " \t");
	end = line_code_end(text, strcspn(text, "\r\n"), NULL);
	if ((size_t)(end - text) < size)
		size = (size_t)(end - text) + 1;
	memcpy(out, text, size - 1);
	out[size - 1] = '\0';
	return out;
}
