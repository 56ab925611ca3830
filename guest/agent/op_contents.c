/* SPDX-License-Identifier: MIT */
/*
 * op_contents.c: fills memory with a pattern, and checks it.
 */
#include "agent/operations.h"
#include "agent/variables.h"
#include "arch/access.h"
#include "mm/mm_types.h"

#define PAGE_WORDS (PAGE_SIZE / sizeof(u64))

/* The variable of the first operand if it has live memory, else NULL. */
static struct agent_variable *live_variable(struct operation *operation)
{
	const struct kvmap_operand *operand = &operation->script->operand[0];
	struct agent_variable *variable;

	if (operand->base != KVMAP_BASE_VARIABLE)
		return NULL;
	variable = &agent_variables[operand->variable];
	operation->address = variable->address;
	operation->size = variable->size;
	return variable->state == VARIABLE_LIVE ? variable : NULL;
}

/* Words of page number `page` that are filled; 0 after the end. */
static u64 page_words(const struct agent_variable *variable, u64 page)
{
	u64 words = variable->filled / sizeof(u64), before = page * PAGE_WORDS;

	if (before >= words)
		return 0;
	return words - before < PAGE_WORDS ? words - before : PAGE_WORDS;
}

u32 op_fill(struct operation *operation)
{
	struct agent_variable *variable = live_variable(operation);
	u64 seed = operation->operand[1];

	if (!variable)
		return KVMAP_REFUSED_UNSET;
	variable_contents_forget(variable);
	variable->filled = variable_bytes(variable);
	variable_contents_changed(variable);
	for (u64 page = 0; page_words(variable, page); page++)
		if (access_fill(variable->address + page * PAGE_SIZE, KVMAP_PATTERN(seed, page),
				page_words(variable, page)))
			return fault_taken(operation);
	variable->fill_seed = seed;
	variable->contents = CONTENTS_PATTERN;
	variable_contents_changed(variable);
	return KVMAP_OK;
}

/* Checks that `words` words at `address` equal `value`. */
static u32 check_words(struct operation *operation, u64 address, u64 value, u64 words)
{
	u64 different;

	if (access_compare(address, value, words, &different))
		return fault_taken(operation);
	if (!different)
		return KVMAP_OK;
	operation->address = different;
	operation->expected = value;
	access_read(different, &operation->found);
	return KVMAP_FAILED_CONTENT;
}

/* Checks the whole words of the bytes that a resize gained. */
static u32 check_gained(struct operation *operation, const struct agent_variable *variable)
{
	u64 start = ALIGN_UP(variable->zero_start, sizeof(u64));
	u64 end = ALIGN_DOWN(variable->zero_end, sizeof(u64));

	return start < end ? check_words(operation, variable->address + start, 0, (end - start) / sizeof(u64))
			   : KVMAP_OK;
}

u32 op_check(struct operation *operation)
{
	const struct agent_variable *variable = live_variable(operation);
	u32 status = KVMAP_OK;

	if (!variable)
		return KVMAP_REFUSED_UNSET;
	status = check_gained(operation, variable);
	if (status)
		return status;
	switch (variable->contents) {
	case CONTENTS_ZERO:
		return check_words(operation, variable->address, 0, variable->filled / sizeof(u64));
	case CONTENTS_PATTERN:
		for (u64 page = 0; page_words(variable, page) && !status; page++)
			status = check_words(operation, variable->address + page * PAGE_SIZE,
					     KVMAP_PATTERN(variable->fill_seed, page),
					     page_words(variable, page));
		return status;
	default:
		if (!variable->write_address)
			return variable->zero_end ? KVMAP_OK : KVMAP_REFUSED_NOT_FILLED;
		return check_words(operation, variable->write_address, variable->write_value, 1);
	}
}
