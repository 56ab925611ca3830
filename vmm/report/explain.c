/* SPDX-License-Identifier: MIT */
#include "report/explain.h"

#include "report/json.h"
#include "report/text.h"
#include "verify/verify.h"

#include <string.h>

static void show_row(struct report *report, const struct explanation *row, enum explanation_kind before)
{
	if (row->kind == EXPLANATION_PARAGRAPH || row->kind != before)
		fputc('\n', report->stream);
	if (row->kind == EXPLANATION_SAMPLE)
		text_line(report, PAINT_FAINT, 4, 13, "%s", row->text);
	else if (row->kind == EXPLANATION_ITEM)
		text_line(report, PAINT_PLAIN, 0, 2, "- %s", row->text);
	else
		text_line(report, PAINT_PLAIN, 0, 0, "%s", row->text);
}

static void show_text(struct report *report, unsigned int invariant, const struct explanation *rows)
{
	enum explanation_kind before = EXPLANATION_PARAGRAPH;

	if (!rows) {
		text_line(report, PAINT_PLAIN, 0, 5, "%-4s %s", invariant_name(invariant),
			  invariant_text(invariant));
		return;
	}
	text_line(report, PAINT_BOLD, 0, 5, "%-4s %s", invariant_name(invariant), invariant_text(invariant));
	text_line(report, PAINT_PLAIN, 5, 5, "a finding is %s", invariant_severity(invariant));
	for (; rows->invariant; rows++) {
		if (rows->invariant != invariant)
			continue;
		show_row(report, rows, before);
		before = rows->kind;
	}
}

static void emit_json(struct report *report, unsigned int invariant, const struct explanation *rows)
{
	struct json_object *line = json_start(report, "explanation"), *text = json_object_new_array();

	json_add_string(line, "invariant", invariant_name(invariant));
	json_add_string(line, "severity", invariant_severity(invariant));
	json_add_string(line, "rule", invariant_text(invariant));
	for (; rows && rows->invariant; rows++)
		if (rows->invariant == invariant)
			json_object_array_add(text, json_text(rows->text));
	json_object_object_add(line, "text", text);
	json_finish(report, line);
}

void report_explain(struct report *report, unsigned int invariant, const struct explanation *rows)
{
	if (report->format == REPORT_TEXT)
		show_text(report, invariant, rows);
	else
		emit_json(report, invariant, rows);
}
