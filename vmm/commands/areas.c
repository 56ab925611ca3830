/* SPDX-License-Identifier: MIT */
/*
 * areas.c: kvmap areas SOURCE [ADDRESS]
 */
#include "base/escape.h"
#include "commands/address_parse.h"
#include "commands/inspection.h"
#include "report/areas.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The area that an ADDRESS lies in. NULL: none. */
static const struct claim_area *area_at(const struct source *source, const char *text, struct error *error)
{
	const struct claim_area *area;
	char escaped[160];
	uint64_t address;

	if (address_parse(text, source->claims, source->symbols, &address, error) < 0)
		return NULL;
	area = claims_area_at(source->claims, address);
	if (!area)
		error_set(error, ERROR_INPUT, 0, address,
			  "`%s` is 0x%" PRIx64 ", which lies in no area%s: `kvmap walk` says what is there",
			  text_escape(text, strlen(text), escaped, sizeof(escaped)), address,
			  source->claims->unread & PART_AREAS ? " that could be read" : "");
	return area;
}

static int show_areas(struct inspection *inspection, struct source *source, void *context)
{
	const struct source_options *options = context;
	struct verdict verdict = { 0 };
	struct report report;
	uint32_t *findings;
	struct error error;
	int status;

	if (source_verify(source, &verdict, &findings, &error) < 0)
		return inspection_fail(inspection, &error, NULL);
	struct report_areas about = {
		.claims = source->claims,
		.view = source->view,
		.mode = &source->mode,
		.symbols = source->symbols,
		.verdict = &verdict,
		.findings = findings,
	};
	status = inspection_status(inspection, source, verdict.finding_count);
	if (options->extra && inspection_is_reported(status)) {
		about.only = area_at(source, options->extra, &error);
		if (!about.only)
			status = inspection_fail(inspection, &error, NULL);
	}
	if (inspection_is_reported(status)) {
		inspection_report(inspection, &report);
		if (report_areas(&report, &about))
			status = EXIT_FINDING;
		else if (about.only)
			status = EXIT_VERIFIED;
	}
	verdict_destroy(&verdict);
	free(findings);
	return status;
}

static int run(int argc, char **argv)
{
	static const char doc[] =
		"Prints the vmalloc areas as the guest of SOURCE, a core file, a VM that runs or a script that is run first, "
		"claims them, in the form of Linux's /proc/vmallocinfo; what its page tables say; and the "
		"verdict on each; with ADDRESS, a number, a variable of the guest's script, a or a+4096, or SYMBOL[+OFFSET], the "
		"area alone that it lies in. Exit status 1: there are findings, with ADDRESS about that area.";
	struct source_options options = source_options_default("ADDRESS");

	options.extra_optional = true;
	if (source_options_parse(argc, argv, "SOURCE [ADDRESS]", doc, true, &options) < 0)
		return EXIT_NOT_DONE;
	return inspection_run(&options, SOURCE_CLAIMS, show_areas, &options);
}

const struct command areas_command = {
	"areas",
	"the vmalloc areas as the guest claims them beside the tables",
	run,
};
