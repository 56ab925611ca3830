/* SPDX-License-Identifier: MIT */
/*
 * value.c: applies the steps of an expression. Only the pointers that are followed are read.
 */
#include "program/value.h"

#include "base/escape.h"
#include "base/strbuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct evaluation {
	const struct value_context *context;
	const struct expression_step *step;
	uint64_t element; /* of the slice */
	struct value value;
	struct error *error;
};

/* ---- reading ---- */

uint64_t value_size(const struct value *value)
{
	return value->bit_size ? (value->bit_offset + value->bit_size + 7) / 8 : ctype_size(&value->type);
}

uint64_t value_number(const struct value *value, const uint8_t *bytes, size_t size)
{
	enum ctype_kind kind = ctype_kind(&value->type);
	unsigned int bits = value->bit_size ? value->bit_size : (unsigned int)(size < 8 ? size : 8) * 8;
	uint64_t number = 0, sign;

	memcpy(&number, bytes, size < sizeof(number) ? size : sizeof(number));
	if (value->bit_size) {
		number >>= value->bit_offset;
		if (size > 8 && value->bit_offset)
			number |= (uint64_t)bytes[8] << (64 - value->bit_offset);
	}
	if (!bits || bits >= 64)
		return number;
	number &= (1ull << bits) - 1;
	sign = 1ull << (bits - 1);
	return (kind == CTYPE_SIGNED || kind == CTYPE_CHAR) && number & sign ? number | ~((sign << 1) - 1)
									     : number;
}

/* The value as a number: computed, or read from memory. */
static int fetch(struct evaluation *evaluation, uint64_t *out)
{
	const struct value *value = &evaluation->value;
	uint64_t size = value_size(value);
	uint8_t bytes[16] = { 0 };

	if (value->is_number) {
		*out = value->number;
		return 0;
	}
	if (!size || size > 9)
		return error_set(evaluation->error, ERROR_INPUT, 0, 0, "this is not a number");
	if (walk_read(evaluation->context->view, evaluation->context->mode, value->address, bytes, size,
		      evaluation->error) < 0)
		return -1;
	*out = value_number(value, bytes, size);
	return 0;
}

/* ---- steps ---- */

static int not_a(struct evaluation *evaluation, const char *what)
{
	char name[160];

	if (evaluation->value.is_number && ctype_kind(&evaluation->value.type) == CTYPE_VOID)
		return error_set(evaluation->error, ERROR_INPUT, 0, 0,
				 "a number has no type: cast it, (struct NAME *)0x...");
	return error_set(evaluation->error, ERROR_INPUT, 0, 0, "a %s is needed here, and this is a `%s`",
			 what, ctype_name(&evaluation->value.type, name, sizeof(name)));
}

static int unknown_symbol(struct evaluation *evaluation, bool in_file)
{
	const char *name = evaluation->step->name;
	const char *nearest = symbols_nearest(evaluation->context->symbols, name);
	char escaped[160], hint[200] = "";

	if (nearest && !in_file)
		snprintf(hint, sizeof(hint), "; did you mean `%s`?",
			 text_escape(nearest, strlen(nearest), escaped, sizeof(escaped)));
	return error_set(evaluation->error, ERROR_INPUT, 0, 0, "there is no variable `%s`%s%s", name,
			 in_file ? " in that file" : "", hint);
}

/* A name that is not a variable: a function or a label of assembly. */
static int take_label(struct evaluation *evaluation)
{
	const struct expression_step *step = evaluation->step;
	uint64_t address;

	if (*step->file || !symbols_find(evaluation->context->symbols, step->name, &address, NULL))
		return unknown_symbol(evaluation, *step->file);
	evaluation->value = (struct value){ .type.is_void = true, .address = address };
	return 0;
}

static int take_symbol(struct evaluation *evaluation)
{
	const struct expression_step *step = evaluation->step;
	struct variable variable;

	switch (debug_info_variable(evaluation->context->info, step->name, step->file, &variable)) {
	case VARIABLE_FOUND:
		evaluation->value = (struct value){ .type = variable.type, .address = variable.address };
		return 0;
	case VARIABLE_AMBIGUOUS:
		return error_set(evaluation->error, ERROR_INPUT, 0, 0,
				 "`%s` is static in several files: write FILE::%s, with one of %s",
				 step->name, step->name, variable.files);
	case VARIABLE_WITHOUT_ADDRESS:
		return error_set(evaluation->error, ERROR_INPUT, 0, 0, "`%s` has no fixed address",
				 step->name);
	default: return take_label(evaluation);
	}
}

/* Error for a missing member; lists the first members that exist. */
static int unknown_member(struct evaluation *evaluation, const struct ctype *type)
{
	char name[160], list[200], escaped[64];
	struct strbuf names = STRBUF(list);
	struct members members;
	struct member member;

	members_begin(type, &members);
	while (strbuf_room(&names) >= 80 && members_next(&members, &member))
		if (*member.name)
			strbuf_add_item(
				&names, ", ", "%s",
				text_escape(member.name, strlen(member.name), escaped, sizeof(escaped)));
	return error_set(evaluation->error, ERROR_INPUT, 0, 0, "`%s` has no member `%s`%s%s%s",
			 ctype_name(type, name, sizeof(name)), evaluation->step->name,
			 names.length ? ": it has " : "", list, members.more ? " ..." : "");
}

/* Both operators follow a pointer; a structure allows only the dot. */
static int take_member(struct evaluation *evaluation)
{
	struct value *value = &evaluation->value;
	struct ctype type = value->type, target;
	enum ctype_kind kind = ctype_kind(&type);
	uint64_t address = value->address;
	struct member member;

	if (kind == CTYPE_POINTER && ctype_target(&type, &target)) {
		if (fetch(evaluation, &address) < 0)
			return -1;
		type = target;
		kind = ctype_kind(&type);
	} else if (evaluation->step->kind == STEP_ARROW) {
		return not_a(evaluation, "pointer");
	}
	if (kind != CTYPE_STRUCT && kind != CTYPE_UNION)
		return not_a(evaluation, "structure or a pointer to one");
	debug_info_complete(evaluation->context->info, &type);
	if (!ctype_member(&type, evaluation->step->name, &member))
		return unknown_member(evaluation, &type);
	*value = (struct value){
		.type = member.type,
		.address = address + member.offset,
		.bit_offset = member.bit_offset,
		.bit_size = member.bit_size,
	};
	return 0;
}

static int take_element(struct evaluation *evaluation, uint64_t index)
{
	struct value *value = &evaluation->value;
	enum ctype_kind kind = ctype_kind(&value->type);
	uint64_t address = value->address, elements = ctype_elements(&value->type), size, offset;
	struct ctype target;

	if ((kind != CTYPE_POINTER && kind != CTYPE_ARRAY) || !ctype_target(&value->type, &target))
		return not_a(evaluation, "pointer or an array");
	if (kind == CTYPE_POINTER && fetch(evaluation, &address) < 0)
		return -1;
	if (kind == CTYPE_ARRAY && elements && index >= elements)
		return error_set(evaluation->error, ERROR_INPUT, 0, 0,
				 "there is no element %" PRIu64 ": the array has %" PRIu64, index, elements);
	debug_info_complete(evaluation->context->info, &target);
	size = ctype_size(&target);
	if (!size)
		return error_set(evaluation->error, ERROR_INPUT, 0, 0, "the size of an element is not known");
	if (__builtin_mul_overflow(index, size, &offset) || offset > UINT64_MAX - address)
		return error_set(evaluation->error, ERROR_INPUT, 0, 0,
				 "element %" PRIu64 " is beyond the address space", index);
	*value = (struct value){ .type = target, .address = address + offset };
	return 0;
}

static int take_target(struct evaluation *evaluation)
{
	enum ctype_kind kind = ctype_kind(&evaluation->value.type);
	struct value *value = &evaluation->value;
	uint64_t address = value->address;
	struct ctype target;

	if ((kind != CTYPE_POINTER && kind != CTYPE_ARRAY) || !ctype_target(&value->type, &target))
		return not_a(evaluation, "pointer");
	if (kind == CTYPE_POINTER && fetch(evaluation, &address) < 0)
		return -1;
	if (ctype_kind(&target) == CTYPE_VOID)
		return error_set(evaluation->error, ERROR_INPUT, 0, 0,
				 "this is a `void *`: cast it to what it points to, (struct NAME *)");
	*value = (struct value){ .type = target, .address = address };
	return 0;
}

static int take_address(struct evaluation *evaluation)
{
	struct value *value = &evaluation->value;

	if (value->is_number || value->bit_size)
		return error_set(evaluation->error, ERROR_INPUT, 0, 0, "%s has no address",
				 value->bit_size ? "a bit field" : "a number");
	value->type.pointers++;
	value->is_number = true;
	value->number = value->address;
	return 0;
}

/* Casts a number to a number of another type; an array to its address. */
static int take_cast(struct evaluation *evaluation)
{
	static const char *const words[] = { "", "struct ", "union ", "enum " };
	const struct expression_step *step = evaluation->step;
	struct value *value = &evaluation->value, cast = { .is_number = true };
	enum ctype_kind from = ctype_kind(&value->type), to;
	uint8_t bytes[8];
	uint64_t size;

	if (!debug_info_type(evaluation->context->info, step->tag, step->name, &cast.type))
		return error_set(evaluation->error, ERROR_INPUT, 0, 0, "there is no type `%s%s`",
				 words[step->tag], step->name);
	cast.type.pointers = step->pointers;
	to = ctype_kind(&cast.type);
	size = ctype_size(&cast.type);
	if (!size || size > 8 || to == CTYPE_STRUCT || to == CTYPE_UNION || to == CTYPE_ARRAY ||
	    to == CTYPE_FLOAT)
		return error_set(evaluation->error, ERROR_INPUT, 0, 0,
				 "a cast is to a number or to a pointer, as in *(%s%s *)", words[step->tag],
				 step->name);
	if (!value->is_number && (from == CTYPE_ARRAY || (from == CTYPE_VOID && step->pointers)))
		cast.number = value->address;
	else if (fetch(evaluation, &cast.number) < 0)
		return -1;
	memcpy(bytes, &cast.number, sizeof(bytes));
	cast.number = value_number(&cast, bytes, size);
	*value = cast;
	return 0;
}

static int take_step(struct evaluation *evaluation)
{
	switch (evaluation->step->kind) {
	case STEP_SYMBOL: return take_symbol(evaluation);
	case STEP_NUMBER:
		evaluation->value = (struct value){
			.type.is_void = true,
			.is_number = true,
			.number = evaluation->step->first,
		};
		return 0;
	case STEP_MEMBER:
	case STEP_ARROW: return take_member(evaluation);
	case STEP_INDEX: return take_element(evaluation, evaluation->step->first);
	case STEP_SLICE: return take_element(evaluation, evaluation->element);
	case STEP_DEREFERENCE: return take_target(evaluation);
	case STEP_ADDRESS_OF: return take_address(evaluation);
	default: return take_cast(evaluation);
	}
}

int value_evaluate(const struct value_context *context, const struct expression *expression, uint64_t element,
		   struct value *out, size_t *at_out, struct error *error)
{
	struct evaluation evaluation = { .context = context, .element = element, .error = error };

	for (size_t i = 0; i < expression->count; i++) {
		evaluation.step = &expression->steps[i];
		if (take_step(&evaluation) < 0) {
			*at_out = evaluation.step->at;
			return -1;
		}
	}
	*out = evaluation.value;
	debug_info_complete(context->info, &out->type);
	return 0;
}
