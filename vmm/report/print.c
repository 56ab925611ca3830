/* SPDX-License-Identifier: MIT */
/*
 * print.c: `print SOURCE EXPRESSION`: a value of the guest as C would initialise it, or as JSON.
 */
#include "report/json.h"
#include "report/print.h"
#include "report/text.h"

#include <inttypes.h>
#include <string.h>

/*
 * Limit for all JSON arrays together: one node of the tree can be many equal elements.
 */
#define JSON_ELEMENTS_MAX 65536

/* ---- text ---- */

static void number_text(uint64_t number, char *out, size_t size)
{
	/* Larger numbers are mostly addresses or masks. */
	snprintf(out, size, number <= UINT32_MAX ? "%" PRIu64 : "0x%" PRIx64, number);
}

static void value_text(const struct value_node *node, char *out, size_t size)
{
	bool named = *node->text;

	switch (node->kind) {
	case NODE_UNSIGNED: number_text(node->number, out, size); break;
	case NODE_SIGNED: snprintf(out, size, "%" PRId64, (int64_t)node->number); break;
	case NODE_CHAR:
		if (node->number >= ' ' && node->number < 0x7f)
			snprintf(out, size, "%" PRId64 " '%c'", (int64_t)node->number, (char)node->number);
		else
			snprintf(out, size, "%" PRId64, (int64_t)node->number);
		break;
	case NODE_BOOL: snprintf(out, size, "%s", node->number ? "true" : "false"); break;
	case NODE_ENUM:
		if (!named)
			number_text(node->number, out, size);
		else
			snprintf(out, size, "%s", node->text);
		return;
	case NODE_C_STRING: snprintf(out, size, "0x%" PRIx64 " \"%s\"", node->number, node->text); return;
	case NODE_STRING: snprintf(out, size, "\"%s\"", node->text); return;
	case NODE_FLOAT: snprintf(out, size, "%s", node->text); return;
	case NODE_POINTER:
	case NODE_LABEL: snprintf(out, size, "0x%" PRIx64, node->number); break;
	case NODE_MORE: snprintf(out, size, "... %" PRIu64 " more", node->number); return;
	default: snprintf(out, size, "?"); return;
	}
	if (named)
		snprintf(out + strlen(out), size - strlen(out), " <%s>", node->text);
}

/* ".name = " or "[3..7] = " */
static void label_text(const struct value_node *node, char *out, size_t size)
{
	out[0] = '\0';
	if (node->kind == NODE_MORE)
		return;
	if (node->is_element && node->first == node->last)
		snprintf(out, size, "[%" PRIu64 "] = ", node->first);
	else if (node->is_element)
		snprintf(out, size, "[%" PRIu64 "..%" PRIu64 "] = ", node->first, node->last);
	else if (*node->name)
		snprintf(out, size, ".%s = ", node->name);
}

static bool is_group(const struct value_node *node)
{
	return node->kind == NODE_STRUCT || node->kind == NODE_ARRAY;
}

static void show_node(struct report *report, const struct value_node *node, const char *label, bool empty)
{
	char value[300] = "", type[120] = "";
	const char *behind = node->depth ? "," : "";

	if (*node->type && node->kind != NODE_MORE)
		snprintf(type, sizeof(type), "(%s)", node->type);
	if (!is_group(node))
		value_text(node, value, sizeof(value));
	text_line(report, PAINT_PLAIN, 4 * node->depth, 4 * node->depth + 8, "%s%s%s%s", label, type,
		  is_group(node) ? empty ? "{}" : "{" : value, is_group(node) && !empty ? "" : behind);
}

static void show_text(struct report *report, const char *expression, const struct value_tree *tree)
{
	const struct value_node *nodes = tree->nodes.items;
	char label[600];
	unsigned int open = 0; /* groups that are to be closed */

	for (size_t i = 0; i < tree->nodes.count; i++) {
		bool has_parts = i + 1 < tree->nodes.count && nodes[i + 1].depth > nodes[i].depth;

		for (; open > nodes[i].depth; open--)
			text_line(report, PAINT_PLAIN, 4 * (open - 1), 0, "}%s", open > 1 ? "," : "");
		if (i)
			label_text(&nodes[i], label, sizeof(label));
		else if (tree->is_number || nodes[i].kind == NODE_LABEL)
			snprintf(label, sizeof(label), "%.500s = ", expression);
		else
			snprintf(label, sizeof(label), "%.500s at 0x%" PRIx64 " = ", expression,
				 tree->address);
		show_node(report, &nodes[i], label, !has_parts);
		if (has_parts)
			open = nodes[i].depth + 1;
	}
	for (; open; open--)
		text_line(report, PAINT_PLAIN, 4 * (open - 1), 0, "}%s", open > 1 ? "," : "");
	if (tree->truncated)
		text_line(report, PAINT_BAD, 0, 2, "... cut here: ask for a part of it");
}

/* ---- JSON ---- */

struct emitter {
	const struct value_tree *tree;
	size_t at; /* the next node */
	uint64_t elements_left;
	bool truncated;
};

static struct json_object *emit_scalar(const struct value_node *node)
{
	switch (node->kind) {
	case NODE_UNSIGNED: return json_object_new_uint64(node->number);
	case NODE_SIGNED:
	case NODE_CHAR: return json_object_new_int64((int64_t)node->number);
	case NODE_BOOL: return json_object_new_boolean(node->number != 0);
	case NODE_ENUM: return *node->text ? json_text(node->text) : json_object_new_uint64(node->number);
	case NODE_FLOAT:
	case NODE_STRING: return json_text(node->text);
	case NODE_POINTER:
	case NODE_C_STRING:
	case NODE_LABEL: return json_hex(node->number);
	default: return NULL;
	}
}

static struct json_object *emit_node(struct emitter *emitter);

/*
 * Adds a member of an object, the members of an anonymous structure, or equal elements of an array.
 */
static void emit_part(struct emitter *emitter, struct json_object *parent, bool is_array)
{
	const struct value_node *node = &emitter->tree->nodes.items[emitter->at];
	struct json_object *value;

	if (node->kind == NODE_MORE) {
		emitter->truncated = true;
		emitter->at++;
		return;
	}
	value = emit_node(emitter);
	if (is_array) {
		for (uint64_t i = node->first; i <= node->last && emitter->elements_left; i++) {
			emitter->elements_left--;
			json_object_array_add(parent, json_object_get(value));
		}
		emitter->truncated |= !emitter->elements_left;
		json_object_put(value);
	} else if (!*node->name && node->kind == NODE_STRUCT) {
		json_object_object_foreach(value, key, member)
			json_object_object_add(parent, key, json_object_get(member));
		json_object_put(value);
	} else {
		json_object_object_add(parent, node->name, value);
	}
}

/* The next node with its parts. Recursive; value_tree bounds the depth. */
static struct json_object *emit_node(struct emitter *emitter)
{
	const struct value_node *nodes = emitter->tree->nodes.items;
	const struct value_node *node = &nodes[emitter->at++];
	struct json_object *group;

	if (!is_group(node))
		return emit_scalar(node);
	group = node->kind == NODE_ARRAY ? json_object_new_array() : json_object_new_object();
	while (emitter->at < emitter->tree->nodes.count && nodes[emitter->at].depth > node->depth)
		emit_part(emitter, group, node->kind == NODE_ARRAY);
	return group;
}

static void emit_json(struct report *report, const char *expression, const struct value_tree *tree)
{
	struct emitter emitter = { .tree = tree, .elements_left = JSON_ELEMENTS_MAX };
	struct json_object *line = json_start(report, "print");
	const struct value_node *root = &tree->nodes.items[0];
	struct json_object *value = emit_node(&emitter);

	json_add_string(line, "expression", expression);
	json_add_string(line, "c_type", root->type);
	if (!tree->is_number)
		json_add_hex(line, "address", tree->address);
	json_add_number(line, "size", tree->size);
	json_object_object_add(line, "value", value);
	if (*root->text && root->kind != NODE_STRING && root->kind != NODE_ENUM && root->kind != NODE_FLOAT)
		json_add_string(line, "is", root->text);
	json_add_bool(line, "truncated", tree->truncated || emitter.truncated);
	json_finish(report, line);
}

void report_print(struct report *report, const char *expression, const struct value_tree *tree)
{
	if (report->format == REPORT_TEXT)
		show_text(report, expression, tree);
	else
		emit_json(report, expression, tree);
}
