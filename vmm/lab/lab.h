/* SPDX-License-Identifier: MIT */
/*
 * lab.h: a lab: a page of docs/labs with scripts, checks of what their reports say, controls that must fail a check,
 * and an exercise. docs/labs/README.md has the format.
 */
#ifndef VMM_LAB_LAB_H
#define VMM_LAB_LAB_H

#include "base/array.h"
#include "base/error.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

enum lab_part_kind {
	LAB_TEXT,     /* a line of the page */
	LAB_RUN,      /* a command of kvmap, with a script */
	LAB_CHECKS,   /* checks of the reports of all runs */
	LAB_CONTROL,  /* a run that takes the place of another one and must make a check false */
	LAB_EXERCISE, /* checks of the report of an answer */
	LAB_ANSWER,   /* a script that answers the exercise */
};

/* A line of text, or a block in fences. */
struct lab_part {
	enum lab_part_kind kind;
	unsigned int line; /* of the page, from 1 */
	char *words;       /* after the kind in the line of the fence; of a text the line */
	char *body;        /* lines in the fence; NULL for a text */
	bool in_exercise;  /* below the heading "Exercise" */
};

struct lab {
	char *path;
	char title[128], claim[1024], found[1024];
	ARRAY_OF(struct lab_part) parts;
};

/* Reads a page. ERROR_INPUT names the line. To be freed with lab_destroy(), not on failure. */
int lab_load(const char *path, struct lab *out, struct error *error);
void lab_destroy(struct lab *lab);

/* Lines of JSON, each with the member "run", the number of the run from 1. */
struct lab_lines {
	ARRAY_OF(struct json_object *) objects;
};

/* Adds the lines of `text`, those of run `run`. ERROR_INPUT if one is no JSON object. */
int lab_lines_add(struct lab_lines *lines, unsigned int run, const char *text, size_t length,
		  struct error *error);
void lab_lines_remove(struct lab_lines *lines, unsigned int run);
void lab_lines_destroy(struct lab_lines *lines);

/* The text of a JSON value at `member`; NULL if there is none. */
const char *lab_member(struct json_object *object, const char *member);

enum lab_result { LAB_TRUE, LAB_FALSE, LAB_NOT_SEEN };

/* The result of a check. */
struct lab_checked {
	enum lab_result result;
	char text[256];             /* what it says */
	char left[160], right[160]; /* the values that were compared */
	char why[256];              /* of LAB_NOT_SEEN */
};

/* Evaluates "TEXT: EXPRESSION". ERROR_INPUT if it is no such line. */
int lab_check(const struct lab_lines *lines, const char *check, struct lab_checked *out, struct error *error);

/* How a lab's commands are run. */
struct lab_config {
	const char *guest;   /* --guest; NULL: the guest that belongs to kvmap */
	const char *program; /* the guest's ELF file, for QEMU */
	unsigned int timeout_s;
};

/*
 * Runs a command of kvmap, "" for `run`, with a script ("" for none), and adds the lines of its report as those of run
 * `run`. *status_out is its exit status. Errors are those of a command that printed no JSON.
 */
int lab_run(const struct lab_config *config, const char *words, const char *script, unsigned int run,
	    struct lab_lines *lines, int *status_out, struct error *error);

#endif
