/* SPDX-License-Identifier: MIT */
/*
 * lesson.c: the steps of a lab, and its exercise.
 */
#include "lab/lesson.h"
#include "report/json.h"
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECKS_MAX 32

struct lesson {
	struct report *report;
	const char *name;
	const struct lab_config *config;
	struct lab_lines lines;
	unsigned int runs;
	const char *checks[CHECKS_MAX]; /* lines of blocks, up to their newline */
	unsigned int check_count, failed, not_seen, controls;
};

static bool is_json(const struct lesson *lesson)
{
	return lesson->report->format == REPORT_JSON;
}

static void show_text(struct lesson *lesson, const char *line)
{
	if (is_json(lesson))
		return;
	if (!strncmp(line, "## ", 3))
		text_heading(lesson->report, line + 3);
	else if (*line)
		text_line(lesson->report, PAINT_PLAIN, 0, 0, "%s", line);
	else
		fputc('\n', lesson->report->stream);
}

/* The lines of a block. */
static void show_script(struct lesson *lesson, const char *words, const char *script)
{
	if (is_json(lesson))
		return;
	text_line(lesson->report, PAINT_BOLD, 2, 4, "run %u: kvmap %s%s%s", lesson->runs,
		  *words && *words != '-' ? "" : "run ", words, *script ? " -" : "");
	for (; *script; script += strcspn(script, "\n"), script += !!*script)
		text_line(lesson->report, PAINT_FAINT, 4, 6, "%.*s", (int)strcspn(script, "\n"), script);
}

/* The outcome of each operation, the frames of areas and objects, and the verdict. */
static void show_outcomes(struct lesson *lesson, const struct lab_lines *lines, unsigned int run)
{
	for (size_t i = 0; i < lines->objects.count && !is_json(lesson); i++) {
		struct json_object *line = lines->objects.items[i], *frames;
		const char *type = lab_member(line, "type"), *variable = lab_member(line, "variable");

		if (strtoul(lab_member(line, "run"), NULL, 10) != run || !type)
			continue;
		if (!strcmp(type, "operation"))
			text_line(lesson->report, PAINT_PLAIN, 4, 38, "line %-3s %s",
				  lab_member(line, "line"), lab_member(line, "outcome"));
		else if ((!strcmp(type, "area") || !strcmp(type, "object")) && variable && *variable &&
			 json_object_object_get_ex(line, "frames", &frames))
			text_line(lesson->report, PAINT_PLAIN, 4, 38, "%s: %s bytes in %zu %s of frames",
				  variable, lab_member(line, "size"), json_object_array_length(frames),
				  json_object_array_length(frames) == 1 ? "run" : "runs");
		else if (!strcmp(type, "verdict"))
			text_line(lesson->report, PAINT_PLAIN, 4, 38, "host: %s findings",
				  lab_member(line, "findings"));
	}
}

static const char *result_word(enum lab_result result)
{
	return result == LAB_TRUE ? "true" : result == LAB_FALSE ? "false" : "not seen";
}

/* A check of the lab, or with `control` the one that must be false. */
static void show_check(struct lesson *lesson, unsigned int number, const struct lab_checked *checked,
		       bool control)
{
	enum paint paint = checked->result == (control ? LAB_FALSE : LAB_TRUE) ? PAINT_GOOD : PAINT_BAD;
	struct json_object *line;

	if (!is_json(lesson)) {
		text_line(lesson->report, paint, 2, 13, "%-9s %scheck %u: %s (%s, %s)%s%s",
			  result_word(checked->result), control ? "control of " : "", number, checked->text,
			  checked->left, checked->right, *checked->why ? ": " : "", checked->why);
		return;
	}
	line = json_start(lesson->report, control ? "lab_control" : "lab_check");
	json_add_string(line, "lab", lesson->name);
	json_add_number(line, "check", number);
	json_add_string(line, "text", checked->text);
	json_add_string(line, "result", result_word(checked->result));
	json_add_string(line, "left", checked->left);
	json_add_string(line, "right", checked->right);
	if (*checked->why)
		json_add_string(line, "why", checked->why);
	json_finish(lesson->report, line);
}

static int check_line(const struct lab_lines *lines, const char *check, struct lab_checked *out,
		      struct error *error)
{
	char copy[1024];

	snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(check, "\n"), check);
	return lab_check(lines, copy, out, error);
}

static int do_checks(struct lesson *lesson, const struct lab_part *part, struct error *error)
{
	for (const char *at = part->body; *at; at += strcspn(at, "\n"), at += !!*at) {
		struct lab_checked checked;

		if (lesson->check_count == CHECKS_MAX)
			return error_set(error, ERROR_INPUT, 0, 0, "line %u: a lab has at most %d checks",
					 part->line, CHECKS_MAX);
		lesson->checks[lesson->check_count++] = at;
		if (check_line(&lesson->lines, at, &checked, error) < 0)
			return -1;
		lesson->failed += checked.result == LAB_FALSE;
		lesson->not_seen += checked.result == LAB_NOT_SEEN;
		show_check(lesson, lesson->check_count, &checked, false);
	}
	return 0;
}

static int do_run(struct lesson *lesson, const char *words, const char *script, struct error *error)
{
	int status;

	lesson->runs++;
	show_script(lesson, words, script);
	fflush(lesson->report->stream);
	if (lab_run(lesson->config, words, script, lesson->runs, &lesson->lines, &status, error) < 0)
		return -1;
	show_outcomes(lesson, &lesson->lines, lesson->runs);
	if (status == 0)
		return 0;
	lesson->failed += status == 1;
	lesson->not_seen += status != 1;
	if (!is_json(lesson))
		text_line(lesson->report, PAINT_BAD, 2, 4, "run %u ended with status %d", lesson->runs,
			  status);
	return 0;
}

/* "CHECK RUN WORDS": a run in the place of run RUN must make check CHECK false. */
static int do_control(struct lesson *lesson, const struct lab_part *part, struct error *error)
{
	struct lab_checked checked;
	struct lab_lines lines = { 0 };
	unsigned int check, run;
	int start = 0, status, result;

	if (sscanf(part->words, "%u %u %n", &check, &run, &start) < 2 || !start || check < 1 ||
	    check > lesson->check_count || run < 1 || run > lesson->runs)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "line %u: a control is CHECK RUN [COMMAND], of a check and a run above it",
				 part->line);
	for (size_t i = 0; i < lesson->lines.objects.count; i++)
		if (array_push(&lines.objects, json_object_get(lesson->lines.objects.items[i])) < 0)
			json_object_put(lesson->lines.objects.items[i]);
	lab_lines_remove(&lines, run);
	show_script(lesson, part->words + start, part->body);
	result = lab_run(lesson->config, part->words + start, part->body, run, &lines, &status, error);
	if (result == 0) {
		show_outcomes(lesson, &lines, run);
		result = check_line(&lines, lesson->checks[check - 1], &checked, error);
	}
	if (result == 0) {
		lesson->controls++;
		lesson->failed += checked.result == LAB_TRUE;
		lesson->not_seen += checked.result == LAB_NOT_SEEN;
		show_check(lesson, check, &checked, true);
	}
	lab_lines_destroy(&lines);
	return result;
}

static int do_part(struct lesson *lesson, const struct lab_part *part, struct error *error)
{
	if (part->in_exercise)
		return 0;
	switch (part->kind) {
	case LAB_TEXT: show_text(lesson, part->words); return 0;
	case LAB_RUN: return do_run(lesson, part->words, part->body, error);
	case LAB_CHECKS: return do_checks(lesson, part, error);
	case LAB_CONTROL: return do_control(lesson, part, error);
	default: return 0;
	}
}

/* The last line; the exit status. */
static int finish(struct lesson *lesson)
{
	int status = lesson->failed ? 1 : lesson->not_seen || !lesson->check_count ? 2 : 0;
	struct json_object *line;

	if (!is_json(lesson)) {
		fputc('\n', lesson->report->stream);
		text_line(lesson->report, status ? PAINT_BAD : PAINT_GOOD, 0, 4,
			  "%s: %u checks, %u controls, %u failed, %u not seen",
			  status ? "NOT SHOWN" : "SHOWN", lesson->check_count, lesson->controls,
			  lesson->failed, lesson->not_seen);
		return status;
	}
	line = json_start(lesson->report, "lab_verdict");
	json_add_string(line, "lab", lesson->name);
	json_add_bool(line, "ok", status == 0);
	json_add_number(line, "checks", lesson->check_count);
	json_add_number(line, "controls", lesson->controls);
	json_add_number(line, "failed", lesson->failed);
	json_add_number(line, "not_seen", lesson->not_seen);
	json_finish(lesson->report, line);
	return status;
}

int lesson_run(struct report *report, const char *name, const struct lab *lab,
	       const struct lab_config *config, struct error *error)
{
	struct lesson lesson = { .report = report, .name = name, .config = config };
	int result = 0;

	if (!is_json(&lesson)) {
		text_line(report, PAINT_BOLD, 0, 0, "%s", lab->title);
		text_line(report, PAINT_PLAIN, 2, 9, "claim  %s", lab->claim);
		text_line(report, PAINT_PLAIN, 2, 9, "found  %s", lab->found);
	}
	for (size_t i = 0; i < lab->parts.count && result == 0; i++)
		result = do_part(&lesson, &lab->parts.items[i], error);
	lab_lines_destroy(&lesson.lines);
	return result < 0 ? -1 : finish(&lesson);
}

/* The text of the exercise. */
static int show_exercise(struct lesson *lesson, const struct lab *lab)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = is_json(lesson) ? open_memstream(&text, &size) : NULL;

	for (size_t i = 0; i < lab->parts.count; i++) {
		const struct lab_part *part = &lab->parts.items[i];

		if (!part->in_exercise || part->kind != LAB_TEXT)
			continue;
		if (stream && *part->words && *part->words != '#')
			fprintf(stream, "%s%s", ftell(stream) ? " " : "", part->words);
		show_text(lesson, part->words);
	}
	if (stream && fclose(stream) == 0) {
		struct json_object *line = json_start(lesson->report, "lab_exercise");

		json_add_string(line, "lab", lesson->name);
		json_add_string(line, "text", text);
		json_finish(lesson->report, line);
	}
	free(text);
	return 0;
}

int lesson_exercise(struct report *report, const char *name, const struct lab *lab,
		    const struct lab_config *config, const char *answer, struct error *error)
{
	struct lesson lesson = { .report = report, .name = name, .config = config };
	int result = -1;

	if (!answer)
		return show_exercise(&lesson, lab);
	error_set(error, ERROR_INPUT, 0, 0, "the lab `%s` has no exercise", name);
	for (size_t i = 0; i < lab->parts.count; i++) {
		const struct lab_part *part = &lab->parts.items[i];

		if (part->kind != LAB_EXERCISE)
			continue;
		result = do_run(&lesson, part->words, answer, error);
		if (result == 0)
			result = do_checks(&lesson, part, error);
		break;
	}
	lab_lines_destroy(&lesson.lines);
	return result < 0 ? -1 : finish(&lesson);
}
