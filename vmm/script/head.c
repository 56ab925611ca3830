/* SPDX-License-Identifier: MIT */
#include "script/head.h"

#include "script/operands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MEMORY_UNIT (2ull << 20)

/* A count from 1 to `most`. */
static int take_count(struct compile *compile, const char *what, uint32_t most, uint32_t *out)
{
	const char *at;
	uint64_t count;

	skip_blanks(compile);
	at = compile->now.at;
	if (operand_number(compile, what, &count) < 0)
		return -1;
	if (!count || count > most)
		return compile_error(compile, at, "%s is 1 to %" PRIu32, what, most);
	*out = (uint32_t)count;
	return 0;
}

static int take_cpus(struct compile *compile, struct script_head *head)
{
	return take_count(compile, "the number of CPUs", KVMAP_CPUS_MAX, &head->cpus);
}

static int take_nodes(struct compile *compile, struct script_head *head)
{
	return take_count(compile, "the number of nodes", KVMAP_NODES_MAX, &head->nodes);
}

static int take_memory(struct compile *compile, struct script_head *head)
{
	const char *at;

	skip_blanks(compile);
	at = compile->now.at;
	if (operand_number(compile, "a size", &head->memory) < 0)
		return -1;
	if (head->memory < SCRIPT_MEMORY_MIN || head->memory > SCRIPT_MEMORY_MAX ||
	    head->memory % MEMORY_UNIT)
		return compile_error(compile, at, "the memory of a guest is 8M to 64G, a multiple of 2M");
	return 0;
}

static int take_policy(struct compile *compile, struct script_head *head)
{
	if (operand_choice(compile, policy_names, "a policy", &head->policy) < 0)
		return -1;
	head->has_policy = true;
	return 0;
}

static int take_seed(struct compile *compile, struct script_head *head)
{
	head->has_seed = true;
	return operand_number(compile, "a seed", &head->seed);
}

static int take_debug_slab(struct compile *compile, struct script_head *head)
{
	(void)compile;
	head->debug_slab = true;
	return 0;
}

static int take_fail_allocation(struct compile *compile, struct script_head *head)
{
	return take_count(compile, "the number of the allocation", UINT32_MAX, &head->fail_allocation);
}

static const struct statement {
	const char *name;
	const char *usage;
	int (*take)(struct compile *compile, struct script_head *head);
} statements[HEAD_STATEMENTS] = {
	{ "cpus", "cpus NUMBER", take_cpus },
	{ "nodes", "nodes NUMBER", take_nodes },
	{ "memory", "memory SIZE", take_memory },
	{ "policy", "policy strict|lazy|eager", take_policy },
	{ "seed", "seed NUMBER", take_seed },
	{ "debug-slab", "debug-slab", take_debug_slab },
	{ "fail-allocation", "fail-allocation NUMBER", take_fail_allocation },
};

const char *head_word(size_t index)
{
	return statements[index].name;
}

/* The row of the line's first word, unless that is the name of a variable which the line assigns. */
static const struct statement *find(struct compile *compile, const char **after_out)
{
	struct word word = peek_word(compile, true);
	const char *after = word.at + word.length;

	*after_out = after;
	after += strspn(after, " \t");
	if (after < compile->end && *after == '=')
		return NULL;
	for (size_t i = 0; i < HEAD_STATEMENTS; i++)
		if (strlen(statements[i].name) == word.length &&
		    !memcmp(statements[i].name, word.at, word.length))
			return &statements[i];
	return NULL;
}

int head_compile(struct compile *compile, bool *taken)
{
	struct script_head *head = &compile->script->head;
	const struct statement *statement;
	const char *start, *after;
	unsigned int bit;

	skip_blanks(compile);
	start = compile->now.at;
	statement = find(compile, &after);
	*taken = statement != NULL;
	if (!statement)
		return 0;
	bit = 1u << (statement - statements);
	compile->usage = statement->usage;
	if (compile->appending)
		return compile_error(compile, start,
				     "'%s' is settled before the guest boots: give it as an option, --%s",
				     statement->name, statement->name);
	if (compile->script->operations.count || compile->script->block_count)
		return compile_error(compile, start,
				     "'%s' belongs into the head of a script, above its first operation",
				     statement->name);
	if (compile->head_stated & bit)
		return compile_error(compile, start, "'%s' is stated twice", statement->name);
	compile->head_stated |= bit;
	compile->now.at = after;
	return statement->take(compile, head);
}

/* The place of the CPU's number in the line of an operation `on cpu NUMBER`. */
static struct place place_of_cpu(const struct script *script, uint32_t line)
{
	struct place place = compile_place(script, line, 0);

	place.at += strspn(place.at, " \t");
	for (unsigned int words = 0; words < 2; words++) { /* on, cpu */
		place.at += strcspn(place.at, " \t\r\n");
		place.at += strspn(place.at, " \t");
	}
	return place;
}

int head_check_cpus(struct compile *compile, size_t first, uint32_t cpus)
{
	const struct script *script = compile->script;
	uint32_t most = 0;
	char advice[80];

	for (size_t i = first; i < script->operations.count; i++)
		if (script->operations.items[i].cpu > most)
			most = script->operations.items[i].cpu;
	if (compile->appending)
		snprintf(advice, sizeof(advice), "the shell starts a guest with more by ");
	else
		snprintf(advice, sizeof(advice),
			 "write 'cpus %" PRIu32 "' above the first operation, or use ", most + 1);
	for (size_t i = first; most >= cpus && i < script->operations.count; i++) {
		const struct kvmap_operation *operation = &script->operations.items[i];
		struct place place;

		if (operation->cpu < cpus)
			continue;
		place = place_of_cpu(script, operation->line);
		return compile_error_at(compile, &place,
					"the guest has %" PRIu32
					" CPU%s, there is no CPU %u; %s--cpus %" PRIu32,
					cpus, cpus == 1 ? "" : "s", operation->cpu, advice, most + 1);
	}
	return 0;
}

int script_check_cpus(const struct script *script, uint32_t cpus, char *context_out, size_t context_size,
		      struct error *error)
{
	struct compile compile = {
		.script = (struct script *)script, /* only read */
		.error = error,
		.context = context_out,
		.context_size = context_size,
	};

	return head_check_cpus(&compile, 0, cpus);
}
