/* SPDX-License-Identifier: MIT */
#include "script/operations.h"

#include "kvmap/gfp.h"

#include <stdio.h>
#include <string.h>

#define FRAGMENT_BYTES (4ull << 20)

static int no_operands(struct compile *compile, struct kvmap_operation *operation)
{
	(void)compile;
	(void)operation;
	return 0;
}

static int size_operand(struct compile *compile, struct kvmap_operation *operation)
{
	return operand_number(compile, "a size", &operation->operand[0].value);
}

static int address_operand(struct compile *compile, struct kvmap_operation *operation)
{
	return operand_address(compile, &operation->operand[0]);
}

static int variable_operand(struct compile *compile, struct kvmap_operation *operation)
{
	return operand_variable(compile, &operation->operand[0]);
}

static int fill_operands(struct compile *compile, struct kvmap_operation *operation)
{
	if (operand_variable(compile, &operation->operand[0]) < 0)
		return -1;
	if (take_keyword(compile, "seed"))
		return operand_number(compile, "a seed", &operation->operand[1].value);
	operation->operand[1].unused = SEED_UNSTATED;
	return 0;
}

static int gfp_operands(struct compile *compile, struct kvmap_operation *operation)
{
	if (size_operand(compile, operation) < 0)
		return -1;
	return operand_gfp(compile, &operation->operand[1].value);
}

/* SIZE [FLAG|...] */
static int kmalloc_operands(struct compile *compile, struct kvmap_operation *operation)
{
	operation->operand[1].value = GFP_KERNEL;
	if (size_operand(compile, operation) < 0)
		return -1;
	return at_line_end(compile) ? 0 : operand_gfp(compile, &operation->operand[1].value);
}

static int node_operands(struct compile *compile, struct kvmap_operation *operation)
{
	if (size_operand(compile, operation) < 0)
		return -1;
	return operand_number(compile, "the number of a node", &operation->operand[1].value);
}

static int realloc_operands(struct compile *compile, struct kvmap_operation *operation)
{
	operation->operand[2].value = GFP_KERNEL;
	if (operand_address(compile, &operation->operand[0]) < 0 ||
	    operand_number(compile, "a size", &operation->operand[1].value) < 0)
		return -1;
	return at_line_end(compile) ? 0 : operand_gfp(compile, &operation->operand[2].value);
}

static int array_operands(struct compile *compile, struct kvmap_operation *operation)
{
	if (operand_number(compile, "a count", &operation->operand[0].value) < 0)
		return -1;
	return operand_number(compile, "a size", &operation->operand[1].value);
}

static int write_operands(struct compile *compile, struct kvmap_operation *operation)
{
	if (operand_address(compile, &operation->operand[0]) < 0)
		return -1;
	return operand_number(compile, "a value", &operation->operand[1].value);
}

static int pages_operands(struct compile *compile, struct kvmap_operation *operation)
{
	if (operand_address(compile, &operation->operand[0]) < 0)
		return -1;
	return operand_number(compile, "a number of pages", &operation->operand[1].value);
}

static int fragment_operands(struct compile *compile, struct kvmap_operation *operation)
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

static int print_operands(struct compile *compile, struct kvmap_operation *operation)
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

static int pair_operands(struct compile *compile, struct kvmap_operation *operation)
{
	uint32_t function;

	if (operand_choice(compile, function_names, "a function that allocates", &function) < 0 ||
	    operand_number(compile, "a size", &operation->operand[1].value) < 0 ||
	    operand_number(compile, "a count", &operation->operand[2].value) < 0)
		return -1;
	operation->operand[0].value = function;
	return 0;
}

static int stress_operands(struct compile *compile, struct kvmap_operation *operation)
{
	if (operand_number(compile, "a seed", &operation->operand[0].value) < 0)
		return -1;
	return operand_number(compile, "a count", &operation->operand[1].value);
}

static int areas_operands(struct compile *compile, struct kvmap_operation *operation)
{
	if (operand_number(compile, "a count", &operation->operand[0].value) < 0 ||
	    operand_number(compile, "a size", &operation->operand[1].value) < 0)
		return -1;
	operation->operand[2].value = take_keyword(compile, "holes");
	return 0;
}

static int crash_operand(struct compile *compile, struct kvmap_operation *operation)
{
	uint32_t crash;

	if (operand_choice(compile, crash_names, "a way to die", &crash) < 0)
		return -1;
	operation->operand[0].value = crash;
	return 0;
}

static int bug_operand(struct compile *compile, struct kvmap_operation *operation)
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

/*
 * To grow the language: an opcode in include/kvmap/operation.h, a row here with a function that reads the
 * operands, and a row with a function that does it in guest/agent/operations.c. Describe it in
 * docs/script.md.
 */
static const struct operation_syntax syntaxes[] = {
	{ "vmalloc", KVMAP_OP_VMALLOC, true, "NAME = vmalloc SIZE", size_operand },
	{ "vzalloc", KVMAP_OP_VZALLOC, true, "NAME = vzalloc SIZE", size_operand },
	{ "__vmalloc", KVMAP_OP_VMALLOC_GFP, true, "NAME = __vmalloc SIZE FLAG[|FLAG...]", gfp_operands },
	{ "vmalloc_huge", KVMAP_OP_VMALLOC_HUGE, true, "NAME = vmalloc_huge SIZE", size_operand },
	{ "vmalloc_user", KVMAP_OP_VMALLOC_USER, true, "NAME = vmalloc_user SIZE", size_operand },
	{ "vmalloc_32", KVMAP_OP_VMALLOC_32, true, "NAME = vmalloc_32 SIZE", size_operand },
	{ "vmalloc_node", KVMAP_OP_VMALLOC_NODE, true, "NAME = vmalloc_node SIZE NODE", node_operands },
	{ "vzalloc_node", KVMAP_OP_VZALLOC_NODE, true, "NAME = vzalloc_node SIZE NODE", node_operands },
	{ "vmalloc_array", KVMAP_OP_VMALLOC_ARRAY, true, "NAME = vmalloc_array COUNT SIZE", array_operands },
	{ "vcalloc", KVMAP_OP_VCALLOC, true, "NAME = vcalloc COUNT SIZE", array_operands },
	{ "kvmalloc", KVMAP_OP_KVMALLOC, true, "NAME = kvmalloc SIZE", size_operand },
	{ "kvzalloc", KVMAP_OP_KVZALLOC, true, "NAME = kvzalloc SIZE", size_operand },
	{ "kvmalloc_array", KVMAP_OP_KVMALLOC_ARRAY, true, "NAME = kvmalloc_array COUNT SIZE",
	  array_operands },
	{ "vrealloc", KVMAP_OP_VREALLOC, true, "NAME = vrealloc ADDRESS SIZE [FLAG|...]", realloc_operands },
	{ "kvrealloc", KVMAP_OP_KVREALLOC, true, "NAME = kvrealloc ADDRESS SIZE [FLAG|...]",
	  realloc_operands },
	{ "kvfree", KVMAP_OP_KVFREE, false, "kvfree ADDRESS", address_operand },
	{ "vfree", KVMAP_OP_VFREE, false, "vfree ADDRESS", address_operand },
	{ "vfree_atomic", KVMAP_OP_VFREE_ATOMIC, false, "vfree_atomic ADDRESS", address_operand },
	{ "kmalloc", KVMAP_OP_KMALLOC, true, "NAME = kmalloc SIZE [FLAG|...]", kmalloc_operands },
	{ "kmalloc_node", KVMAP_OP_KMALLOC_NODE, true, "NAME = kmalloc_node SIZE NODE", node_operands },
	{ "kzalloc", KVMAP_OP_KZALLOC, true, "NAME = kzalloc SIZE [FLAG|...]", kmalloc_operands },
	{ "kfree", KVMAP_OP_KFREE, false, "kfree ADDRESS", address_operand },
	{ "vmap", KVMAP_OP_VMAP, true, "NAME = vmap VARIABLE", variable_operand },
	{ "vunmap", KVMAP_OP_VUNMAP, false, "vunmap ADDRESS", address_operand },
	{ "vm_map_ram", KVMAP_OP_VM_MAP_RAM, true, "NAME = vm_map_ram VARIABLE", variable_operand },
	{ "vm_unmap_ram", KVMAP_OP_VM_UNMAP_RAM, false, "vm_unmap_ram ADDRESS PAGES", pages_operands },
	{ "vm_unmap_aliases", KVMAP_OP_VM_UNMAP_ALIASES, false, "vm_unmap_aliases", no_operands },
	{ "set_memory_ro", KVMAP_OP_SET_MEMORY_RO, false, "set_memory_ro ADDRESS PAGES", pages_operands },
	{ "set_memory_rw", KVMAP_OP_SET_MEMORY_RW, false, "set_memory_rw ADDRESS PAGES", pages_operands },
	{ "set_memory_x", KVMAP_OP_SET_MEMORY_X, false, "set_memory_x ADDRESS PAGES", pages_operands },
	{ "set_memory_nx", KVMAP_OP_SET_MEMORY_NX, false, "set_memory_nx ADDRESS PAGES", pages_operands },
	{ "fill", KVMAP_OP_FILL, false, "fill VARIABLE [seed NUMBER]", fill_operands },
	{ "check", KVMAP_OP_CHECK, false, "check VARIABLE", variable_operand },
	{ "read", KVMAP_OP_READ, false, "read ADDRESS", address_operand },
	{ "write", KVMAP_OP_WRITE, false, "write ADDRESS VALUE", write_operands },
	{ "execute", KVMAP_OP_EXECUTE, false, "execute ADDRESS", address_operand },
	{ "fragment", KVMAP_OP_FRAGMENT, false, "fragment PERCENT% [of SIZE] [seed NUMBER]",
	  fragment_operands },
	{ "pair", KVMAP_OP_PAIR, false, "pair FUNCTION SIZE COUNT", pair_operands },
	{ "areas", KVMAP_OP_AREAS, false, "areas COUNT SIZE [holes]", areas_operands },
	{ "stress", KVMAP_OP_STRESS, false, "stress SEED COUNT", stress_operands },
	{ "stress_free", KVMAP_OP_STRESS_FREE, false, "stress_free", no_operands },
	{ "purge", KVMAP_OP_PURGE, false, "purge", no_operands },
	{ "verify", KVMAP_OP_VERIFY, false, "verify", no_operands },
	{ "print", KVMAP_OP_PRINT, false, "print \"TEXT\" [ADDRESS]", print_operands },
	{ "crash", KVMAP_OP_CRASH, false, "crash triple-fault|emulation|mmio|hang|oops", crash_operand },
	{ "bug", KVMAP_OP_BUG, false, "bug NUMBER or NAME", bug_operand },
	/* Begins a block. */
	{ "parallel", KVMAP_OP_PARALLEL, false, "parallel", NULL },
	/* Written as `expect fault`. */
	{ "touch", KVMAP_OP_TOUCH, false, "expect fault KIND [read|write|execute] ADDRESS", NULL },
};

#define SYNTAXES (sizeof(syntaxes) / sizeof(syntaxes[0]))

/* Words that are no operations. Those with a 1 begin a line, and are suggested. */
static const struct name other_words[] = {
	{ "expect", 1 },   { "repeat", 1 }, { "end", 1 },    { "on", 1 },    { "in", 1 },
	{ "parallel", 1 }, { "text", 0 },   { "rodata", 0 }, { "fault", 0 }, { NULL, 0 },
};

const char *operation_name(uint16_t opcode)
{
	for (size_t i = 0; i < SYNTAXES; i++)
		if (syntaxes[i].opcode == opcode)
			return syntaxes[i].name;
	return "?";
}

const struct operation_syntax *operation_find(struct word word)
{
	for (size_t i = 0; i < SYNTAXES; i++)
		if (syntaxes[i].operands && strlen(syntaxes[i].name) == word.length &&
		    !memcmp(syntaxes[i].name, word.at, word.length))
			return &syntaxes[i];
	return NULL;
}

const char *operation_suggest(struct word word, char *out, size_t size)
{
	struct name words[SYNTAXES + sizeof(other_words) / sizeof(other_words[0])];
	const struct name *nearest;
	size_t count = 0;

	for (size_t i = 0; i < SYNTAXES; i++)
		if (syntaxes[i].operands)
			words[count++] = (struct name){ syntaxes[i].name, 0 };
	for (const struct name *row = other_words; row->value; row++)
		words[count++] = *row;
	words[count] = (struct name){ NULL, 0 };
	nearest = name_nearest(words, word.at, word.length);
	if (nearest)
		snprintf(out, size, "; did you mean '%s'?", nearest->name);
	else
		snprintf(out, size, "; kvmap-script(5) tells all of them");
	return out;
}

bool word_is_reserved(struct word word)
{
	return operation_find(word) || name_find(other_words, word.at, word.length);
}
