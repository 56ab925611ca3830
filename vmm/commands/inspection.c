/* SPDX-License-Identifier: MIT */
#include "commands/inspection.h"

#include "base/number.h"
#include "base/progress.h"
#include "commands/progress.h"
#include "report/pause.h"
#include "view/process.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct inspection {
	struct source *sources;
	size_t count;
	bool json, verbose;
	uint64_t *seq;      /* of the command's reports */
	uint64_t first_seq; /* *seq before the command */
	inspection_body *body;
	void *context;
	/* The results of the last call of the body. */
	int status;
	FILE *text; /* NULL: the report goes to stdout */
	char *text_bytes;
	size_t text_size;
	bool warned, failed, uses_mode;
	struct error error;
	char detail[1024];
};

/* Whether the report begins with how the source was read. */
static bool has_summary(const struct source *source)
{
	return source->vm.client || source->process.view;
}

static uint64_t summaries(const struct inspection *inspection)
{
	uint64_t count = 0;

	for (size_t i = 0; i < inspection->count; i++)
		count += has_summary(&inspection->sources[i]);
	return count;
}

/* Forgets what a call of the body left. */
static void discard(struct inspection *inspection)
{
	if (inspection->text)
		fclose(inspection->text);
	inspection->text = NULL;
	free(inspection->text_bytes);
	inspection->text_bytes = NULL;
	inspection->text_size = 0;
	inspection->warned = inspection->failed = inspection->uses_mode = false;
}

/* ---- for bodies ---- */

void inspection_report(struct inspection *inspection, struct report *report)
{
	command_report(report, inspection->json);
	if (!summaries(inspection))
		return;
	if (!inspection->text)
		inspection->text = open_memstream(&inspection->text_bytes, &inspection->text_size);
	if (inspection->text)
		report->stream = inspection->text;
	/* The summaries are the first lines. */
	*inspection->seq = inspection->first_seq + summaries(inspection);
}

int inspection_fail(struct inspection *inspection, const struct error *error, const char *detail)
{
	inspection->failed = true;
	inspection->error = *error;
	snprintf(inspection->detail, sizeof(inspection->detail), "%s", detail ? detail : "");
	return EXIT_NOT_DONE;
}

bool inspection_has_mode(struct inspection *inspection, const struct source *source)
{
	inspection->uses_mode = true;
	if (!source->has_mode)
		inspection_fail(inspection, &source->no_claims, NULL);
	return source->has_mode;
}

void inspection_warn(struct inspection *inspection)
{
	inspection->warned = true;
}

int inspection_status(struct inspection *inspection, struct source *source, bool wrong)
{
	struct error error;
	int settled = source_settle(source, wrong, &error);

	if (settled < 0)
		return inspection_fail(inspection, &error, NULL);
	if (settled > 0)
		return INSPECTION_AGAIN;
	return wrong ? EXIT_FINDING : EXIT_VERIFIED;
}

bool inspection_is_reported(int status)
{
	return status == EXIT_VERIFIED || status == EXIT_FINDING;
}

int session_status(const struct session *session)
{
	if (session->verdict.finding_count)
		return EXIT_FINDING;
	return session->refused ? EXIT_NOT_DONE : EXIT_VERIFIED;
}

/* ---- output ---- */

/*
 * How the sources were read: in JSON the first lines of the report, else on stderr, a pause of
 * a VM of kvmap only with --verbose, or where the VM ended.
 */
static void print_summaries(struct inspection *inspection)
{
	struct report report;
	uint64_t seq = inspection->first_seq;

	command_report(&report, inspection->json);
	report.seq = &seq;
	if (!inspection->json)
		report.stream = stderr;
	for (size_t i = 0; i < inspection->count; i++) {
		struct source *source = &inspection->sources[i];

		if (source->process.view) {
			source->process.summary.lost = process_view_lost_pages(source->process.view);
			report_process(&report, &source->process.summary);
		} else if (source->vm.client &&
			   (inspection->json || inspection->verbose || source->vm.pause.ended)) {
			report_pause(&report, source_pid(source), &source->vm.pause);
		}
	}
}

static void print_gap(const struct view_gap *gap)
{
	char part[120] = "";

	if (gap->has > gap->used)
		snprintf(part, sizeof(part),
			 ", and of the page at GPA 0x%" PRIx64 " it has %" PRIu64
			 " bytes, which are not used",
			 gap->gpa + gap->used, gap->has - gap->used);
	fprintf(stderr,
		"kvmap: this core lacks %" PRIu64 " bytes from GPA 0x%" PRIx64
		", memory or a device's (QEMU: dump-guest-memory without -p has all memory)%s\n",
		gap->size - gap->has, gap->gpa + gap->has, part);
}

static void print_warnings(const struct inspection *inspection)
{
	char offset[40];

	for (size_t i = 0; i < inspection->count; i++) {
		const struct source *source = &inspection->sources[i];

		if (inspection->uses_mode && source->cpu && !source->one_cpu)
			fprintf(stderr,
				"kvmap: CPU 0 is not in long mode with paging: the tables are those of CPU %u "
				"(--cpu)\n",
				source->cpu);
		if (inspection->warned && source->view->gaps.count)
			print_gap(&source->view->gaps.items[0]);
		if (inspection->warned && source->symbols && symbols_offset(source->symbols))
			fprintf(stderr,
				"kvmap: the program runs at an offset of %s to the addresses of its file "
				"(KASLR); names have it\n",
				number_offset(symbols_offset(source->symbols), offset, sizeof(offset)));
		if (inspection->warned && !source->symbols)
			fprintf(stderr, "kvmap: %s; continuing without names\n", source->no_claims.text);
	}
}

static int print_output(struct inspection *inspection)
{
	progress_end();
	if (inspection->text)
		fflush(inspection->text);
	if (summaries(inspection) && (!inspection->failed || inspection->text_size))
		print_summaries(inspection);
	else if (summaries(inspection))
		*inspection->seq = inspection->first_seq;
	if (!inspection->failed)
		print_warnings(inspection);
	if (inspection->text_size)
		fwrite(inspection->text_bytes, 1, inspection->text_size, stdout);
	if (inspection->failed)
		return command_fail(&inspection->error, inspection->detail);
	return command_finish(inspection->status);
}

static enum source_next read_once(struct source *sources, void *context)
{
	struct inspection *inspection = context;

	discard(inspection);
	inspection->status = inspection->body(inspection, sources, inspection->context);
	return inspection->status == INSPECTION_AGAIN ? SOURCE_AGAIN : SOURCE_DONE;
}

int inspection_run_sources(struct source *sources, size_t count, const struct options *options,
			   inspection_body *body, void *context)
{
	struct inspection inspection = {
		.sources = sources,
		.count = count,
		.json = options->json,
		.verbose = options->verbose,
		.body = body,
		.context = context,
	};
	struct report report;
	struct error error;
	int status;

	command_report(&report, options->json);
	inspection.seq = report.seq;
	inspection.first_seq = *report.seq;
	progress_set("reading the guest");
	if (source_snapshot(sources, count, read_once, &inspection, &error) == 0) {
		status = print_output(&inspection);
	} else {
		*inspection.seq = inspection.first_seq;
		status = command_fail(&error, NULL);
	}
	discard(&inspection);
	return status;
}

static const struct inspection_names *named;

void inspection_use(const struct inspection_names *names)
{
	named = names;
}

int inspection_open(const char *name, const struct source_config *config, struct source *out)
{
	char detail[1024];
	struct error error;

	for (size_t i = 0; named && i < named->count; i++) {
		if (strcmp(named->names[i], name) != 0)
			continue;
		*out = named->sources[i];
		out->one_cpu = config->one_cpu;
		out->cpu = config->cpu;
		out->wanted = config->claims;
		out->stage2 = config->session.stage2;
		if (out->stage2)
			stage2_on_demand_open(&out->stage2_reading);
		return 0;
	}
	progress_set("reading %s", name);
	if (source_open(name, config, out, detail, sizeof(detail), &error) == 0)
		return 0;
	command_fail(&error, detail);
	return -1;
}

int inspection_run(const struct source_options *options, enum source_claims claims, inspection_body *body,
		   void *context)
{
	const struct source_config config = source_options_config(options, claims);
	struct source source;
	int status;

	if (inspection_open(options->source, &config, &source) < 0)
		return EXIT_NOT_DONE;
	status = inspection_run_sources(&source, 1, &options->common, body, context);
	source_close(&source);
	return status;
}
