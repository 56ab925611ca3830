/* SPDX-License-Identifier: MIT */
#include "script/operations.h"

#include "base/array.h"

#include "kvmap/gfp.h"
#include "script/head.h"

#include <stdio.h>
#include <string.h>

#define FRAGMENT_BYTES (4ull << 20)

static int parse_none(struct compile *compile, struct kvmap_operation *operation)
{
	(void)compile;
	(void)operation;
	return 0;
}

static int parse_size(struct compile *compile, struct kvmap_operation *operation)
{
	return operand_number(compile, "a size", &operation->operand[0].value);
}

static int parse_address(struct compile *compile, struct kvmap_operation *operation)
{
	return operand_address(compile, &operation->operand[0]);
}

static int parse_variable(struct compile *compile, struct kvmap_operation *operation)
{
	return operand_variable(compile, &operation->operand[0]);
}

static int parse_variable_seed(struct compile *compile, struct kvmap_operation *operation)
{
	if (operand_variable(compile, &operation->operand[0]) < 0)
		return -1;
	if (take_keyword(compile, "seed"))
		return operand_number(compile, "a seed", &operation->operand[1].value);
	operation->operand[1].unused = SEED_UNSTATED;
	return 0;
}

static int parse_size_gfp(struct compile *compile, struct kvmap_operation *operation)
{
	if (parse_size(compile, operation) < 0)
		return -1;
	return operand_gfp(compile, &operation->operand[1].value);
}

/* SIZE [FLAG|...] */
static int parse_size_flags(struct compile *compile, struct kvmap_operation *operation)
{
	operation->operand[1].value = GFP_KERNEL;
	if (parse_size(compile, operation) < 0)
		return -1;
	return at_line_end(compile) ? 0 : operand_gfp(compile, &operation->operand[1].value);
}

static int parse_size_node(struct compile *compile, struct kvmap_operation *operation)
{
	if (parse_size(compile, operation) < 0)
		return -1;
	return operand_number(compile, "the number of a node", &operation->operand[1].value);
}

static int parse_address_size_flags(struct compile *compile, struct kvmap_operation *operation)
{
	operation->operand[2].value = GFP_KERNEL;
	if (operand_address(compile, &operation->operand[0]) < 0 ||
	    operand_number(compile, "a size", &operation->operand[1].value) < 0)
		return -1;
	return at_line_end(compile) ? 0 : operand_gfp(compile, &operation->operand[2].value);
}

static int parse_count_size(struct compile *compile, struct kvmap_operation *operation)
{
	if (operand_number(compile, "a count", &operation->operand[0].value) < 0)
		return -1;
	return operand_number(compile, "a size", &operation->operand[1].value);
}

/*
 * A text for `write`: a store for each 8 bytes of it, its NUL included, the rest of the last one zero. All but the last
 * one become operations here.
 */
static int parse_text_value(struct compile *compile, struct kvmap_operation *operation)
{
	struct script *script = compile->script;
	uint64_t offset, start = operation->operand[0].value;
	const char *at = compile->now.at;
	size_t length;

	if (operand_string(compile, &offset) < 0)
		return -1;
	length = script->strings.count - offset;
	for (size_t i = 0; i < length; i += sizeof(uint64_t)) {
		size_t left = length - i;
		uint64_t word = 0;

		memcpy(&word, script->strings.items + offset + i, left < sizeof(word) ? left : sizeof(word));
		operation->operand[0].value = start + i;
		operation->operand[1].value = word;
		if (left <= sizeof(word))
			break;
		if (compile_operation(compile, at, operation) < 0)
			return -1;
	}
	/* The guest needs no string. */
	script->strings.count = offset;
	return 0;
}

static int parse_address_value(struct compile *compile, struct kvmap_operation *operation)
{
	if (operand_address(compile, &operation->operand[0]) < 0)
		return -1;
	skip_blanks(compile);
	if (compile->now.at < compile->end && *compile->now.at == '"')
		return parse_text_value(compile, operation);
	return operand_number(compile, "a value", &operation->operand[1].value);
}

static int parse_address_pages(struct compile *compile, struct kvmap_operation *operation)
{
	if (operand_address(compile, &operation->operand[0]) < 0)
		return -1;
	return operand_number(compile, "a number of pages", &operation->operand[1].value);
}

static int parse_fragment(struct compile *compile, struct kvmap_operation *operation)
{
	operation->operand[1].value = FRAGMENT_BYTES;
	if (operand_percent(compile, &operation->operand[0].value) < 0)
		return -1;
	if (take_keyword(compile, "of") &&
	    operand_number(compile, "a size", &operation->operand[1].value) < 0)
		return -1;
	if (take_keyword(compile, "seed"))
		return operand_number(compile, "a seed", &operation->operand[2].value);
	return 0;
}

static int parse_print(struct compile *compile, struct kvmap_operation *operation)
{
	const char *address;

	if (operand_string(compile, &operation->operand[0].value) < 0)
		return -1;
	if (at_line_end(compile))
		return 0;
	address = compile->now.at;
	if (operand_address(compile, &operation->operand[1]) < 0)
		return -1;
	if (operation->operand[1].base == KVMAP_BASE_NONE)
		return compile_error(compile, address,
				     "nothing to look up in a number: print shows addresses of "
				     "variables, text and rodata");
	return 0;
}

static int parse_show(struct compile *compile, struct kvmap_operation *operation)
{
	const char *address;
	uint32_t what;

	if (operand_choice(compile, show_names, "what to show", &what) < 0)
		return -1;
	operation->operand[0].value = what;
	skip_blanks(compile);
	address = compile->now.at;
	if (what != KVMAP_SHOW_FRAMES && (what != KVMAP_SHOW_AREAS || at_line_end(compile)))
		return 0;
	operation->operand[2].value = true;
	if (operand_address(compile, &operation->operand[1]) < 0)
		return -1;
	if (operation->operand[1].base == KVMAP_BASE_RODATA)
		return compile_error(
			compile, address,
			"only the guest knows where rodata is: show takes a variable, text or a number");
	return 0;
}

static int parse_pair(struct compile *compile, struct kvmap_operation *operation)
{
	uint32_t function;

	if (operand_choice(compile, function_names, "a function that allocates", &function) < 0 ||
	    operand_number(compile, "a size", &operation->operand[1].value) < 0 ||
	    operand_number(compile, "a count", &operation->operand[2].value) < 0)
		return -1;
	operation->operand[0].value = function;
	return 0;
}

static int parse_stress(struct compile *compile, struct kvmap_operation *operation)
{
	if (operand_number(compile, "a seed", &operation->operand[0].value) < 0)
		return -1;
	return operand_number(compile, "a count", &operation->operand[1].value);
}

static int parse_areas(struct compile *compile, struct kvmap_operation *operation)
{
	if (operand_number(compile, "a count", &operation->operand[0].value) < 0 ||
	    operand_number(compile, "a size", &operation->operand[1].value) < 0)
		return -1;
	operation->operand[2].value = take_keyword(compile, "holes");
	return 0;
}

static int parse_crash(struct compile *compile, struct kvmap_operation *operation)
{
	uint32_t crash;

	if (operand_choice(compile, crash_names, "a way to crash", &crash) < 0)
		return -1;
	operation->operand[0].value = crash;
	return 0;
}

static int parse_bug(struct compile *compile, struct kvmap_operation *operation)
{
	struct word word = peek_word(compile, true);
	uint32_t bug;

	if (word.length && *word.at >= '0' && *word.at <= '9')
		return operand_number(compile, "the number of a bug", &operation->operand[0].value);
	if (operand_choice(compile, bug_names, "a deliberate bug", &bug) < 0)
		return -1;
	operation->operand[0].value = bug;
	return 0;
}

/* Written otherwise, see line.c: `expect fault` is a touch, `parallel` begins a block. */
#define parse_touch    NULL
#define parse_parallel NULL

#define OPERANDS_ENUM(operands, synopsis, echo) OPERANDS_##operands,
enum { KVMAP_OPERANDS(OPERANDS_ENUM) };

#define OPERANDS_ROW(operands, synopsis, echo) { synopsis, parse_##operands },
static const struct operands_syntax operands_syntaxes[] = { KVMAP_OPERANDS(OPERANDS_ROW) };

#define RESULT_NOTHING  false
#define RESULT_VARIABLE true

#define OPERATION_ROW(NAME, function, opcode, name, result, operands, outcome, help)                         \
	{ name, KVMAP_OP_##NAME, RESULT_##result, &operands_syntaxes[OPERANDS_##operands], outcome, help },
static const struct operation_syntax syntaxes[] = { KVMAP_OPERATIONS(OPERATION_ROW) };

#define SYNTAXES (sizeof(syntaxes) / sizeof(syntaxes[0]))

/* Words that are no operations. A 1 marks the words that begin a line; they are suggested. */
static const struct name other_words[] = {
	{ "expect", 1 },   { "repeat", 1 }, { "end", 1 },    { "on", 1 },    { "in", 1 },
	{ "parallel", 1 }, { "text", 0 },   { "rodata", 0 }, { "fault", 0 }, { NULL, 0 },
};
static const struct operation_syntax *syntax_of(uint16_t opcode)
{
	for (size_t i = 0; i < SYNTAXES; i++)
		if (syntaxes[i].opcode == opcode)
			return &syntaxes[i];
	return NULL;
}

const char *operation_name(uint16_t opcode)
{
	const struct operation_syntax *syntax = syntax_of(opcode);

	return syntax ? syntax->name : "?";
}

const char *operation_outcome(uint16_t opcode)
{
	const struct operation_syntax *syntax = syntax_of(opcode);

	return syntax ? syntax->outcome : "";
}

const char *operation_listed(size_t index)
{
	for (size_t i = 0; i < SYNTAXES; i++)
		if (syntaxes[i].operands->parse && !index--)
			return syntaxes[i].name;
	return NULL;
}

const char *operation_help(const char *name, char *usage, size_t size)
{
	const struct operation_syntax *syntax = operation_find((struct word){ name, strlen(name) });

	if (!syntax)
		return NULL;
	operation_usage(syntax, usage, size);
	return syntax->help;
}

bool operation_has_text(uint16_t opcode)
{
	return opcode == KVMAP_OP_PRINT;
}

const char *operation_usage(const struct operation_syntax *syntax, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", syntax->has_result ? "NAME = " : "", syntax->name,
		 syntax->operands->synopsis);
	return out;
}

const struct operation_syntax *operation_find(struct word word)
{
	for (size_t i = 0; i < SYNTAXES; i++)
		if (syntaxes[i].operands->parse && strlen(syntaxes[i].name) == word.length &&
		    !memcmp(syntaxes[i].name, word.at, word.length))
			return &syntaxes[i];
	return NULL;
}

const char *operation_suggest(struct word word, const char *list, char *out, size_t size)
{
	struct name words[SYNTAXES + HEAD_STATEMENTS + sizeof(other_words) / sizeof(other_words[0])];
	const struct name *nearest;
	size_t count = 0;

	for (size_t i = 0; i < SYNTAXES; i++)
		if (syntaxes[i].operands->parse)
			words[count++] = (struct name){ syntaxes[i].name, 0 };
	for (const struct name *row = other_words; row->value; row++)
		words[count++] = *row;
	for (size_t i = 0; i < HEAD_STATEMENTS; i++)
		words[count++] = (struct name){ head_word(i), 0 };
	words[count] = (struct name){ NULL, 0 };
	nearest = name_nearest(words, word.at, word.length);
	if (nearest)
		snprintf(out, size, "; did you mean '%s'?", nearest->name);
	else
		snprintf(out, size, "; %s lists them", list);
	return out;
}

bool word_is_reserved(struct word word)
{
	return operation_find(word) || name_find(other_words, word.at, word.length);
}
