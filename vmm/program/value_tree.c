/* SPDX-License-Identifier: MIT */
/*
 * value_tree.c: the bytes of a value are copied from the guest once; only the copy is used. Recursion follows
 * types, not the guest's data, and is at most DEPTH_MAX deep.
 */
#include "program/value_tree.h"
#include "base/array.h"
#include "base/escape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX   16
#define NODES_MAX   20000
#define BYTES_MAX   (1ull << 20) /* of one value */
#define STRING_MAX  80           /* characters of the string of a char * */
#define ELEMENT_MAX 65536        /* elements of a slice */

struct builder {
	const struct value_context *context;
	struct value_tree *tree;
	uint64_t limit;
	bool out_of_memory;
};

/* A part of the copied bytes with its type. */
struct piece {
	struct value value;   /* the type; the address is not used */
	const uint8_t *bytes; /* `size` of them */
	uint64_t size;
	unsigned int depth;
	const char *name; /* of a member; NULL: none */
	bool is_element;
	uint64_t first, last;
};

/* Appends a node. NULL if there is no more room. */
static struct value_node *add(struct builder *builder, const struct piece *piece, enum value_node_kind kind)
{
	struct value_node node = {
		.kind = kind,
		.depth = piece->depth,
		.is_element = piece->is_element,
		.first = piece->first,
		.last = piece->last,
	};

	if (builder->tree->nodes.count >= NODES_MAX) {
		builder->tree->truncated = true;
		return NULL;
	}
	if (piece->name)
		text_escape(piece->name, strlen(piece->name), node.name, sizeof(node.name));
	ctype_name(&piece->value.type, node.type, sizeof(node.type));
	if (array_push(&builder->tree->nodes, node) < 0) {
		builder->out_of_memory = true;
		return NULL;
	}
	return &builder->tree->nodes.items[builder->tree->nodes.count - 1];
}

/* ---- numbers ---- */

/* "vmalloc+0x12 (vmalloc.c:3)" for an address of the program, else "". */
static void describe(const struct builder *builder, uint64_t address, char *out, size_t size)
{
	out[0] = '\0';
	if (symbols_segment_at(builder->context->symbols, address))
		symbols_describe(builder->context->symbols, address, out, size);
}

/* Reads the string at `address` up to its NUL; false if it is not mapped. */
static bool read_string(const struct builder *builder, uint64_t address, char *out, size_t size)
{
	char text[STRING_MAX];
	struct error ignored;
	size_t length = 0;

	for (; length < sizeof(text) && address <= UINT64_MAX - length; length++) {
		if (walk_read(builder->context->view, builder->context->mode, address + length, text + length,
			      1, &ignored) < 0)
			return false;
		if (!text[length])
			break;
	}
	text_escape(text, length, out, size);
	if (length == sizeof(text) && strlen(out) + 4 < size)
		memcpy(out + strlen(out), "...", sizeof("..."));
	return true;
}

static void add_pointer(struct builder *builder, const struct piece *piece, uint64_t number)
{
	struct value_node *node = add(builder, piece, NODE_POINTER);
	struct ctype target;

	if (!node)
		return;
	node->number = number;
	if (number && ctype_target(&piece->value.type, &target) && ctype_kind(&target) == CTYPE_CHAR &&
	    read_string(builder, number, node->text, sizeof(node->text)))
		node->kind = NODE_C_STRING;
	else
		describe(builder, number, node->text, sizeof(node->text));
}

static void add_float(struct builder *builder, const struct piece *piece)
{
	struct value_node *node =
		add(builder, piece, piece->size == 4 || piece->size == 8 ? NODE_FLOAT : NODE_UNKNOWN);
	double number = 0;
	float small;

	if (!node || node->kind == NODE_UNKNOWN)
		return;
	if (piece->size == 4) {
		memcpy(&small, piece->bytes, 4);
		number = (double)small;
	} else {
		memcpy(&number, piece->bytes, 8);
	}
	snprintf(node->text, sizeof(node->text), "%.17g", number);
}

static void add_number(struct builder *builder, const struct piece *piece, enum ctype_kind kind)
{
	static const enum value_node_kind kinds[] = {
		[CTYPE_UNSIGNED] = NODE_UNSIGNED, [CTYPE_SIGNED] = NODE_SIGNED, [CTYPE_CHAR] = NODE_CHAR,
		[CTYPE_BOOL] = NODE_BOOL,         [CTYPE_ENUM] = NODE_ENUM,
	};
	uint64_t number = value_number(&piece->value, piece->bytes, piece->size);
	struct value_node *node;

	if (kind == CTYPE_POINTER) {
		add_pointer(builder, piece, number);
		return;
	}
	node = add(builder, piece, kinds[kind]);
	if (!node)
		return;
	node->number = number;
	if (kind == CTYPE_ENUM)
		ctype_enumerator(&piece->value.type, number, node->text, sizeof(node->text));
	else if (kind == CTYPE_UNSIGNED && piece->size == 8)
		describe(builder, number, node->text, sizeof(node->text));
}

/* ---- structures and arrays ---- */

static void add_piece(struct builder *builder, const struct piece *piece);

static void add_members(struct builder *builder, const struct piece *piece)
{
	struct members members;
	struct member member;

	members_begin(&piece->value.type, &members);
	while (!builder->tree->truncated && !builder->out_of_memory && members_next(&members, &member)) {
		struct piece part = {
			.value = { .type = member.type,
				   .bit_offset = member.bit_offset,
				   .bit_size = member.bit_size },
			.depth = piece->depth + 1,
			.name = member.name,
		};

		part.size = value_size(&part.value);
		if (member.offset > piece->size || part.size > piece->size - member.offset)
			continue; /* damaged */
		part.bytes = piece->bytes + member.offset;
		add_piece(builder, &part);
	}
}

/* An array of char is a text; bytes after its NUL are left out. */
static void add_text(struct builder *builder, const struct piece *piece)
{
	struct value_node *node = add(builder, piece, NODE_STRING);

	if (node)
		text_escape((const char *)piece->bytes, piece->size, node->text, sizeof(node->text));
}

static void add_more(struct builder *builder, const struct piece *array, uint64_t from, uint64_t elements)
{
	struct piece rest = *array;
	struct value_node *node;

	rest.depth++;
	rest.is_element = true;
	rest.name = NULL;
	rest.first = from;
	rest.last = elements - 1;
	node = add(builder, &rest, NODE_MORE);
	if (node)
		node->number = elements - from;
}

/* Adjacent elements with the same bytes are one node. */
static void add_elements(struct builder *builder, const struct piece *piece, const struct ctype *target)
{
	uint64_t size = ctype_size(target), elements = ctype_elements(&piece->value.type);
	uint64_t known = size ? piece->size / size : 0, shown = 0, next;

	if (known > elements)
		known = elements;
	for (uint64_t i = 0; i < known && !builder->tree->truncated && !builder->out_of_memory; i = next) {
		struct piece part = {
			.value = { .type = *target },
			.bytes = piece->bytes + i * size,
			.size = size,
			.depth = piece->depth + 1,
			.is_element = true,
			.first = i,
		};

		if (shown++ == builder->limit) {
			known = i;
			break;
		}
		for (next = i + 1; next < known; next++)
			if (memcmp(part.bytes, piece->bytes + next * size, size) != 0)
				break;
		part.last = next - 1;
		add_piece(builder, &part);
	}
	if (known < elements)
		add_more(builder, piece, known, elements);
}

static void add_array(struct builder *builder, const struct piece *piece)
{
	struct ctype target = { .is_void = true };

	ctype_target(&piece->value.type, &target);
	debug_info_complete(builder->context->info, &target);
	if (ctype_kind(&target) == CTYPE_CHAR)
		add_text(builder, piece);
	else if (add(builder, piece, NODE_ARRAY))
		add_elements(builder, piece, &target);
}

static void add_piece(struct builder *builder, const struct piece *piece)
{
	enum ctype_kind kind = ctype_kind(&piece->value.type);

	if (piece->depth > DEPTH_MAX) {
		add(builder, piece, NODE_UNKNOWN);
		return;
	}
	switch (kind) {
	case CTYPE_STRUCT:
	case CTYPE_UNION:
		if (add(builder, piece, NODE_STRUCT))
			add_members(builder, piece);
		break;
	case CTYPE_ARRAY: add_array(builder, piece); break;
	case CTYPE_FLOAT: add_float(builder, piece); break;
	case CTYPE_UNSIGNED:
	case CTYPE_SIGNED:
	case CTYPE_CHAR:
	case CTYPE_BOOL:
	case CTYPE_ENUM:
	case CTYPE_POINTER:
		if (piece->size && piece->size <= 9) {
			add_number(builder, piece, kind);
			break;
		}
		/* fallthrough */
	default: add(builder, piece, NODE_UNKNOWN);
	}
}

/* ---- values ---- */

static int fail(struct error *error, const struct ctype *type, const char *what)
{
	char name[160];

	return error_set(error, ERROR_INPUT, 0, 0, "`%s` %s", ctype_name(type, name, sizeof(name)), what);
}

/* A function or a label. A number without a type is an error. */
static int add_label(struct builder *builder, const struct value *value, struct piece *piece,
		     struct error *error)
{
	struct value_node *node;

	if (value->is_number)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "a number has no type: cast it, *(struct NAME *)0x...");
	node = add(builder, piece, NODE_LABEL);
	if (node) {
		node->number = value->address;
		node->type[0] = '\0';
		describe(builder, value->address, node->text, sizeof(node->text));
	}
	return 0;
}

/* Reads and adds one value. */
static int add_value(struct builder *builder, const struct value *value, struct piece *piece,
		     struct error *error)
{
	enum ctype_kind kind = ctype_kind(&value->type);
	uint64_t size = value_size(value);
	uint8_t *bytes;

	piece->value = *value;
	if (kind == CTYPE_VOID || kind == CTYPE_FUNCTION)
		return add_label(builder, value, piece, error);
	if (!size && kind != CTYPE_ARRAY)
		return fail(error, &value->type, "has no known size");
	if (size > BYTES_MAX && kind != CTYPE_ARRAY)
		return fail(error, &value->type, "is too large to be shown");
	piece->size = size < BYTES_MAX ? size : BYTES_MAX;
	bytes = calloc(1, piece->size + sizeof(uint64_t));
	if (!bytes)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	if (value->is_number)
		memcpy(bytes, &value->number, sizeof(value->number));
	else if (walk_read(builder->context->view, builder->context->mode, value->address, bytes, piece->size,
			   error) < 0) {
		free(bytes);
		return -1;
	}
	piece->bytes = bytes;
	add_piece(builder, piece);
	free(bytes);
	return 0;
}

/* Evaluates the expression for each element: "cpus[0..3].work". */
static int add_slice(struct builder *builder, const struct expression *expression, size_t *at_out,
		     struct error *error)
{
	const struct expression_step *slice = &expression->steps[expression->slice];
	struct piece root = { .value = { .type = { .is_void = true } } };
	struct value_tree *tree = builder->tree;
	struct value value;

	if (slice->last - slice->first >= ELEMENT_MAX) {
		*at_out = slice->at;
		return error_set(error, ERROR_INPUT, 0, 0, "a slice has at most %d elements", ELEMENT_MAX);
	}
	if (!add(builder, &root, NODE_ARRAY))
		return 0;
	for (uint64_t i = slice->first; i <= slice->last && !tree->truncated && !builder->out_of_memory;
	     i++) {
		struct piece piece = { .depth = 1, .is_element = true, .first = i, .last = i };

		if (value_evaluate(builder->context, expression, i, &value, at_out, error) < 0)
			return -1;
		*at_out = slice->at;
		if (add_value(builder, &value, &piece, error) < 0)
			return -1;
		if (i > slice->first)
			continue;
		tree->is_number = value.is_number;
		tree->address = value.address;
		tree->size = value_size(&value);
		ctype_name(&value.type, tree->nodes.items[0].type, sizeof(tree->nodes.items[0].type));
	}
	return 0;
}

static int add_root(struct builder *builder, const struct expression *expression, size_t *at_out,
		    struct error *error)
{
	struct piece piece = { .depth = 0 };
	struct value value;

	if (value_evaluate(builder->context, expression, 0, &value, at_out, error) < 0)
		return -1;
	builder->tree->is_number = value.is_number;
	builder->tree->address = value.address;
	builder->tree->size = value_size(&value);
	*at_out = expression->steps[expression->count - 1].at;
	return add_value(builder, &value, &piece, error);
}

int value_tree_build(const struct value_context *context, const struct expression *expression, uint64_t limit,
		     struct value_tree *out, size_t *at_out, struct error *error)
{
	struct value_tree tree = { .size = 0 };
	struct builder builder = { .context = context, .tree = &tree, .limit = limit };
	int result = expression->slice < expression->count ? add_slice(&builder, expression, at_out, error)
							   : add_root(&builder, expression, at_out, error);

	if (result == 0 && builder.out_of_memory)
		result = error_set(error, ERROR_HOST, 0, 0, "out of memory");
	if (result < 0) {
		value_tree_destroy(&tree);
		return -1;
	}
	*out = tree;
	return 0;
}

void value_tree_destroy(struct value_tree *tree)
{
	free(tree->nodes.items);
	*tree = (struct value_tree){ .size = 0 };
}
