/* SPDX-License-Identifier: MIT */
/*
 * map_columns.c: the columns of `map`, in text and JSON: a new column is a row of the table here. Counts of
 * an entry bit are also a row of RANGE_COUNTED_BITS (paging/ranges.h).
 */
#include "base/number.h"
#include "base/page.h"
#include "base/rights.h"
#include "base/strbuf.h"
#include "paging/memory_type.h"
#include "report/json.h"
#include "report/map_parts.h"
#include "report/text.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define CELL_MAX 40

struct column {
	const char *title; /* NULL: only in JSON */
	unsigned int gap;  /* blanks before it */
	int width;         /* negative: aligned to the left */
	bool not_in_sums;  /* the last address of ranges that are alike takes its place */
	/* The text of a cell. Returns out or a constant. */
	const char *(*text)(const struct column *column, const struct map_row *row, char out[CELL_MAX]);
	const char *member; /* of the JSON object; NULL: only in text */
	void (*emit)(const struct column *column, const struct map_row *row, struct json_object *line);
	size_t offset; /* of a number in struct range */
	int spare;     /* characters that a narrow terminal does not have */
};

/* ---- text ---- */

static const char *address_text(const struct column *column, const struct map_row *row, char out[CELL_MAX])
{
	(void)column;
	snprintf(out, CELL_MAX, "0x%016" PRIx64, row->start);
	return out;
}

static const char *size_text(const struct column *column, const struct map_row *row, char out[CELL_MAX])
{
	(void)column;
	return number_bytes(row->size, out, CELL_MAX);
}

static const char *rights_cell(const struct column *column, const struct map_row *row, char out[CELL_MAX])
{
	(void)column;
	return row->range ? rights_text(row->range->rights, out) : "---";
}

static const char *page_size_text(const struct column *column, const struct map_row *row, char out[CELL_MAX])
{
	(void)column, (void)out;
	return row->range ? page_size_name(row->range->page_size) : "";
}

static uint64_t number_of(const struct column *column, const struct range *range)
{
	uint64_t number;

	memcpy(&number, (const char *)range + column->offset, sizeof(number));
	return number;
}

/* "100", "7", "-": leaves that have the bit; rounded, but "-" only for none and "100" only for all. */
static const char *percent_text(const struct column *column, const struct map_row *row, char out[CELL_MAX])
{
	uint64_t count, percent;

	if (!row->range)
		return "";
	count = number_of(column, row->range);
	if (!count)
		return "-";
	percent = count * 100 / row->range->leaves;
	snprintf(out, CELL_MAX, "%" PRIu64, percent ? percent : 1);
	return out;
}

static const char *count_text(const struct column *column, const struct map_row *row, char out[CELL_MAX])
{
	return row->range ? text_count(number_of(column, row->range), out, CELL_MAX) : "";
}

static const char *gpa_text(const struct column *column, const struct map_row *row, char out[CELL_MAX])
{
	if (!row->range)
		return "";
	snprintf(out, CELL_MAX, "0x%" PRIx64, number_of(column, row->range));
	return out;
}

/* ---- JSON ---- */

static void emit_number(const struct column *column, const struct map_row *row, struct json_object *line)
{
	json_add_number(line, column->member, number_of(column, row->range));
}

static void emit_hex(const struct column *column, const struct map_row *row, struct json_object *line)
{
	json_add_hex(line, column->member, number_of(column, row->range));
}

static void emit_rights(const struct column *column, const struct map_row *row, struct json_object *line)
{
	json_add_string(line, column->member, RIGHTS_TEXT(row->range->rights));
}

static void emit_pat_index(const struct column *column, const struct map_row *row, struct json_object *line)
{
	json_add_number(line, column->member, row->range->pat_index);
}

static void emit_memory_type(const struct column *column, const struct map_row *row, struct json_object *line)
{
	json_add_string(line, column->member, memory_type(memory_type_pat(row->cpu), row->range->pat_index));
}

static void emit_key(const struct column *column, const struct map_row *row, struct json_object *line)
{
	json_add_number(line, column->member, row->range->key);
}

/* ---- the table ---- */

/* A number of struct range, 64 bits wide. */
#define NUMBER(name) .member = #name, .emit = emit_number, .offset = offsetof(struct range, name)
/* Leaves that have an entry bit: a counter of RANGE_COUNTED_BITS. */
#define PERCENT(heading, name)                                                                               \
	{                                                                                                    \
		heading, 1, 3, .text = percent_text, NUMBER(name)                                            \
	}

static const struct column columns[] = {
	{ "address", 0, -18, .text = address_text, .member = "address", .emit = emit_hex,
	  .offset = offsetof(struct range, gva) },
	{ "size", 1, 9, .text = size_text, NUMBER(size) },
	{ "", 1, -4, .text = rights_cell, .member = "rights", .emit = emit_rights },
	{ "by", 1, 2, .text = page_size_text, NUMBER(page_size) },
	{ .member = "pat_index", .emit = emit_pat_index },
	{ .member = "memory_type", .emit = emit_memory_type },
	{ .member = "key", .emit = emit_key },
	{ NUMBER(leaves) },
	PERCENT("A%", accessed),
	PERCENT("D%", dirty),
	{ "runs", 1, 6, true, count_text, NUMBER(runs), .spare = 2 },
	{ "first GPA", 1, 10, true, gpa_text, .member = "gpa", .emit = emit_hex,
	  .offset = offsetof(struct range, gpa) },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void add_cell(struct strbuf *row, const struct column *column, bool narrow, const char *text)
{
	strbuf_add(row, "%*s%*s", (int)column->gap, "", column->width - (narrow ? column->spare : 0), text);
}

const char *map_columns_titles(bool narrow, char *out, size_t size)
{
	struct strbuf titles = strbuf_of(out, size);

	for (size_t i = 0; i < COLUMNS; i++)
		if (columns[i].title)
			add_cell(&titles, &columns[i], narrow, columns[i].title);
	return out;
}

const char *map_columns_text(const struct map_row *row, bool narrow, char *out, size_t size)
{
	struct strbuf cells = strbuf_of(out, size);
	char cell[CELL_MAX];

	for (size_t i = 0; i < COLUMNS; i++)
		if (columns[i].title && !(row->is_sum && columns[i].not_in_sums))
			add_cell(&cells, &columns[i], narrow, columns[i].text(&columns[i], row, cell));
	if (row->is_sum)
		strbuf_add(&cells, " -0x%016" PRIx64, row->end);
	return out;
}

unsigned int map_columns_width(bool narrow)
{
	char titles[MAP_ROW_MAX];

	return (unsigned int)strlen(map_columns_titles(narrow, titles, sizeof(titles)));
}

void map_columns_emit(const struct map_row *row, struct json_object *line)
{
	for (size_t i = 0; i < COLUMNS; i++)
		if (columns[i].member)
			columns[i].emit(&columns[i], row, line);
}
