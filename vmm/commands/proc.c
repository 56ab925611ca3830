/* SPDX-License-Identifier: MIT */
/*
 * proc.c: kvmap proc SOURCE FILE
 */
#include "commands/commands.h"
#include "base/escape.h"
#include "source/source.h"

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
	char escaped[200];
	struct error error;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (!strcmp(files[i].name, name))
			return &files[i];
	error_set(&error, ERROR_INPUT, 0, 0,
		  "`%s` is no file that the guest has: it is meminfo, vmallocinfo, buddyinfo or slabinfo",
		  text_escape(name, strlen(name), escaped, sizeof(escaped)));
	command_fail(&error, NULL);
	return NULL;
}

struct proc {
	const struct proc_file *file;
	bool json;
};

static int show(struct source *source, void *context)
{
	const struct proc *wanted = context;
	struct report_proc proc = { .claims = source->claims, .symbols = source->symbols };
	struct ranges direct_map = { 0 };
	struct report report;
	struct error error;

	if (!source->claims)
		return source_fail(source, &source->no_claims, NULL);
	if (ranges_collect(source->view, &source->mode, KVMAP_DIRECT_BASE, KVMAP_VMALLOC_START - 1, NULL, 0,
			   &direct_map, &error) < 0)
		return source_fail(source, &error, NULL);
	proc.direct_map = &direct_map;
	source_report(source, &report, wanted->json);
	wanted->file->report(&report, &proc);
	ranges_destroy(&direct_map);
	return EXIT_VERIFIED;
}

int command_proc(int argc, char **argv)
{
	struct source_options options;
	struct source source;
	struct proc proc;
	int status;

	if (source_parse(
		    argc, argv, "SOURCE meminfo|vmallocinfo|buddyinfo|slabinfo",
		    "Prints the accounts that the guest of SOURCE keeps, a core file, a VM that runs or a script that is run first, "
		    "in the format of that file of Linux's /proc.",
		    "the file", &options) < 0)
		return EXIT_NOT_DONE;
	proc = (struct proc){ file_find(options.extra), options.common.json };
	if (!proc.file || source_open(options.source, &options.common, SOURCE_CLAIMS, &source) < 0)
		return EXIT_NOT_DONE;
	status = source_look(&source, 1, show, &proc);
	source_close(&source);
	return status;
}
