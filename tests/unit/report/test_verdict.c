/* SPDX-License-Identifier: MIT */
/* The verdict of a shell: of several guests, or with operations that were not verified. */
#include "sample.h"

#include "report/verdict.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct sample sample;
static struct verdict_run run;
static char *text;

static void init(void)
{
	sample_init(&sample);
	run = (struct verdict_run){ 0 };
	text = NULL;
}

static void destroy(void)
{
	free(text);
	sample_destroy(&sample);
}

TestSuite(verdict, .init = init, .fini = destroy);

static const char *shown(enum report_format format)
{
	struct report report;
	size_t size;

	free(text);
	report = report_begin(format, &text, &size);
	report_verdict(&report, &sample.verdict, &run);
	report_end(&report);
	return text;
}

Test(verdict, of_all_operations_is_verified)
{
	check_holds(shown(REPORT_TEXT), "\nVERIFIED: ");
	check_holds(shown(REPORT_JSON), "\"ok\":true");
	cr_expect_null(strstr(text, "unverified"));
	cr_expect_null(strstr(text, "earlier_findings"));
}

Test(verdict, is_not_of_operations_after_the_last_verification)
{
	run.unverified = 3;
	check_holds(shown(REPORT_TEXT), "\nNOT ALL VERIFIED: ");
	check_holds(text, " checks, no findings; not verified: 3 operations.\n");
	check_lines(text);
	check_holds(shown(REPORT_JSON), "\"ok\":false,\"unverified\":3,\"findings\":0");
}

Test(verdict, counts_the_findings_of_earlier_guests)
{
	run.earlier_findings = 1;
	check_holds(shown(REPORT_TEXT), "\nNOT VERIFIED: 1 finding before `restart`; ");
	check_holds(shown(REPORT_JSON), "\"ok\":false,\"earlier_findings\":1,\"findings\":0");
	sample_add_findings(&sample);
	check_holds(shown(REPORT_TEXT), "\nNOT VERIFIED: 3 findings, 1 of them before `restart`; ");
	check_lines(text);
}

Test(verdict, says_why_a_refusal_counts)
{
	run.refused = 2;
	check_holds(shown(REPORT_TEXT), "\n2 refusals that the script does not expect: ");
}
