/* SPDX-License-Identifier: MIT */
/*
 * proc.c: kvmap proc SOURCE FILE
 */
#include "base/escape.h"
#include "base/spelling.h"
#include "commands/inspection.h"
#include "report/proc.h"

#include <string.h>

struct proc_file {
	const char *name;
	void (*report)(struct report *report, const struct report_proc *proc);
};

static const struct proc_file files[] = {
	{ "meminfo", report_meminfo },
	{ "vmallocinfo", report_vmallocinfo },
	{ "buddyinfo", report_buddyinfo },
	{ "slabinfo", report_slabinfo },
};

static const struct proc_file *file_find(const char *name)
{
	size_t least = spelling_tolerance(strlen(name)) + 1, distance;
	char escaped[200], suggestion[60] = "";
	struct error error;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (!strcmp(files[i].name, name))
			return &files[i];
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		distance = spelling_distance(name, strlen(name), files[i].name);
		if (distance < least) {
			least = distance;
			snprintf(suggestion, sizeof(suggestion), "; did you mean `%s`?", files[i].name);
		}
	}
	error_set(
		&error, ERROR_INPUT, 0, 0,
		"`%s` is no file that the guest has, which are meminfo, vmallocinfo, buddyinfo and slabinfo%s",
		text_escape(name, strlen(name), escaped, sizeof(escaped)), suggestion);
	command_fail(&error, NULL);
	return NULL;
}

static int show(struct inspection *inspection, struct source *source, void *context)
{
	const struct proc_file *file = context;
	struct report_proc proc = { .claims = source->claims, .symbols = source->symbols };
	struct ranges direct_map = { 0 };
	struct report report;
	struct error error;

	if (!source->claims)
		return inspection_fail(inspection, &source->no_claims, NULL);
	if (ranges_collect(source->view, &source->mode, KVMAP_DIRECT_BASE, KVMAP_VMALLOC_START - 1, NULL, 0,
			   &direct_map, &error) < 0)
		return inspection_fail(inspection, &error, NULL);
	proc.direct_map = &direct_map;
	inspection_report(inspection, &report);
	file->report(&report, &proc);
	ranges_destroy(&direct_map);
	return EXIT_VERIFIED;
}

static int run(int argc, char **argv)
{
	static const char doc[] =
		"Prints the counters of the guest of SOURCE, a core file, a VM that runs or a script that is run first, "
		"in the format of that file of Linux's /proc.";
	struct source_options options =
		source_options_default("the name of the file (meminfo, vmallocinfo, buddyinfo or slabinfo)");
	const struct proc_file *file;

	if (source_options_parse(argc, argv, "SOURCE meminfo|vmallocinfo|buddyinfo|slabinfo", doc, false,
				 &options) < 0)
		return EXIT_NOT_DONE;
	file = file_find(options.extra);
	return file ? inspection_run(&options, SOURCE_CLAIMS, show, (void *)file) : EXIT_NOT_DONE;
}

const struct command proc_command = {
	"proc",
	"the guest's counters in the formats of Linux's /proc",
	run,
};
