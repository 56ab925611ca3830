/* SPDX-License-Identifier: MIT */
/*
 * lesson.h: runs a lab step by step, or checks the answer to its exercise.
 */
#ifndef VMM_LAB_LESSON_H
#define VMM_LAB_LESSON_H

#include "lab/lab.h"
#include "report/report.h"

/*
 * Prints the page, runs its scripts, checks their reports and runs the controls. 0: every check is true, and each control makes
 * its check false; 1: not so; 2: a check was not seen; -1: a run printed no report, or the page is wrong.
 */
int lesson_run(struct report *report, const char *name, const struct lab *lab,
	       const struct lab_config *config, struct error *error);

/* Without an answer, prints the exercise and returns 0. Else runs it and checks its report, as lesson_run(). */
int lesson_exercise(struct report *report, const char *name, const struct lab *lab,
		    const struct lab_config *config, const char *answer, struct error *error);

#endif
