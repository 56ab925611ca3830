/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c: how a body gets to see its sources.
 *
 * A VM that runs is stopped, what the body asked for when it was called last is copied, and the VM goes on
 * before the body is called: its first call only tells what it wants. In the end the body may want what it
 * did not want before, since the guest has changed: after LOOKS_MAX calls it reads while the VM stands still.
 */
#include "base/clock.h"
#include "commands/commands.h"
#include "source/source.h"
#include "program/build_id.h"
#include "view/process.h"

#include <stdlib.h>
#include <time.h>

#define LOOKS_MAX 6

/* A body that wants to look again gets so long. */
#define CHANGE_NS 2000000000ull

struct look {
	struct source *sources;
	size_t count;
	unsigned int looks; /* since all was wanted anew */
	unsigned int again; /* wanted by the body */
	uint64_t start;
	bool whole;
	/* What the last call left. */
	FILE *text;
	char *text_bytes;
	size_t text_size;
	bool json, warned, failed;
	struct error error;
	char context[1024];
};

/* What was done to look at it is told. */
static bool is_told(const struct source *source)
{
	return source->vm.client || source->process;
}

/* How many. */
static uint64_t told(const struct look *look)
{
	uint64_t count = 0;

	for (size_t i = 0; i < look->count; i++)
		count += is_told(&look->sources[i]);
	return count;
}

/* ---- stopping and going on ---- */

static int resume(struct source *source, struct error *error)
{
	struct report_pause *pause = &source->vm.pause;
	struct control_pause_time time;

	if (!source->vm.paused)
		return 0;
	source->vm.paused = false;
	if (control_client_resume(source->vm.client, &time, error) < 0)
		return -1;
	pause->count++;
	pause->ended = !time.vm_ns;
	pause->all_ns += time.vm_ns;
	if (time.vm_ns > pause->longest_ns) {
		pause->longest_ns = time.vm_ns;
		pause->client_ns = time.client_ns;
	}
	return 0;
}

/* A program without claims may have names. */
static void read_claims(struct source *source)
{
	source->symbols = NULL;
	source->claims = NULL;
	claims_destroy(&source->own_claims);
	source->no_claims = source->no_program;
	if (!source->own_symbols)
		return;
	if (build_id_check(source->own_symbols, source->view, &source->mode, &source->no_claims) < 0)
		return;
	source->symbols = source->own_symbols;
	source->no_claims = source->no_program;
	if (source->wanted == SOURCE_NO_CLAIMS || !source->own_layout)
		return;
	if ((source->wanted == SOURCE_AREAS ? claims_read_areas
					    : claims_read)(source->view, &source->mode, source->own_layout,
							   &source->own_claims, &source->no_claims) == 0)
		source->claims = &source->own_claims;
}

/* Its mode and claims, of a view that is there. */
static int read_source(struct source *source, struct error *error)
{
	if (source->session)
		return 0;
	if (source->process) {
		if (source->has_mode)
			read_claims(source);
		return 0;
	}
	source->has_mode = false;
	if (walk_mode_of_cpu(source->view, 0, &source->mode, error) < 0)
		return -1;
	source->has_mode = true;
	read_claims(source);
	return 0;
}

static int stop(struct source *source, bool first, struct error *error)
{
	if (!source->vm.client)
		return 0;
	source->vm.paused = true;
	if (control_client_pause(source->vm.client, &source->view, error) < 0)
		return -1;
	/* The first look is at what the tables say, not yet at what they are. */
	source->stage2_seen = NULL;
	if (source->stage2 && !first)
		source->stage2_seen = stage2_on_demand_read(
			&source->stage2_reading, (pid_t)source_pid(source), -1, &source->no_stage2);
	return 0;
}

/* The sources as they are at one moment, of which the body may still want more than was copied. */
static int begin(struct look *look, struct error *error)
{
	bool stay = look->looks == LOOKS_MAX;

	for (size_t i = 0; i < look->count; i++) {
		struct source *source = &look->sources[i];

		if (stop(source, !look->looks, error) < 0 || (!stay && resume(source, error) < 0) ||
		    read_source(source, error) < 0)
			return -1;
	}
	return 0;
}

static bool is_whole(const struct look *look)
{
	for (size_t i = 0; i < look->count; i++) {
		const struct source *source = &look->sources[i];

		if (source->vm.client && !source->vm.paused &&
		    (!look->looks || !control_client_is_complete(source->vm.client)))
			return false;
	}
	return true;
}

static int end(struct look *look, struct error *error)
{
	look->whole = is_whole(look);
	for (size_t i = 0; i < look->count; i++) {
		struct source *source = &look->sources[i];

		if (resume(source, error) < 0)
			return -1;
		if (look->whole && source->ptrace_stop) {
			source->look.stood_ns = ptrace_stop_end(source->ptrace_stop);
			source->ptrace_stop = NULL;
		}
	}
	return 0;
}

/* ---- what a body leaves ---- */

static void forget(struct look *look)
{
	if (look->text)
		fclose(look->text);
	look->text = NULL;
	free(look->text_bytes);
	look->text_bytes = NULL;
	look->text_size = 0;
	look->warned = look->failed = false;
}

void source_report(struct source *source, struct report *report, bool json)
{
	struct look *look = source->looking;

	command_report(report, json);
	look->json = json;
	if (!told(look))
		return;
	if (!look->text)
		look->text = open_memstream(&look->text_bytes, &look->text_size);
	if (look->text)
		report->stream = look->text;
	/* The pauses are told first. */
	report->seq = told(look);
}

int source_fail(struct source *source, const struct error *error, const char *context)
{
	struct look *look = source->looking;

	look->failed = true;
	look->error = *error;
	snprintf(look->context, sizeof(look->context), "%s", context ? context : "");
	return EXIT_NOT_DONE;
}

void source_warn(struct source *source)
{
	source->looking->warned = true;
}

static void tell_pauses(const struct look *look)
{
	struct report report;

	command_report(&report, look->json);
	if (!look->json)
		report.stream = stderr;
	for (size_t i = 0; i < look->count; i++) {
		struct source *source = &look->sources[i];

		if (source->process) {
			source->look.lost = process_view_lost_pages(source->process);
			report_foreign(&report, &source->look);
		} else if (source->vm.client) {
			report_pause(&report, source_pid(source), &source->vm.pause);
		}
	}
}

static int tell(struct look *look, int status)
{
	if (look->text)
		fflush(look->text);
	if (told(look) && (!look->failed || look->text_size))
		tell_pauses(look);
	for (size_t i = 0; look->warned && !look->failed && i < look->count; i++)
		if (!look->sources[i].symbols)
			fprintf(stderr, "kvmap: %s; going on without names\n",
				look->sources[i].no_claims.text);
	if (look->text_size)
		fwrite(look->text_bytes, 1, look->text_size, stdout);
	return look->failed ? command_fail(&look->error, look->context) : command_finish(status);
}

/* ---- looking ---- */

static int look_once(struct look *look, source_body *body, void *context, int *status, struct error *error)
{
	forget(look);
	if (begin(look, error) < 0)
		return -1;
	*status = body(look->sources, context);
	return end(look, error);
}

/* To another place, and not in step with what the guest does. */
static void let_it_run(const struct look *look)
{
	const struct timespec some = { .tv_nsec = 300000 + look->again % 7 * 150000 };

	nanosleep(&some, NULL);
}

static int look_until_whole(struct look *look, source_body *body, void *context, int *status,
			    struct error *error)
{
	for (;;) {
		if (look_once(look, body, context, status, error) < 0)
			return -1;
		if (look->whole && *status != SOURCE_AGAIN)
			return 0;
		if (look->whole) {
			look->again++;
			let_it_run(look);
		}
		/* What was wanted in the first look is wanted again: later ones need not begin with it. */
		look->looks = look->whole ? 1 : look->looks + 1;
	}
}

int source_look(struct source *sources, size_t count, source_body *body, void *context)
{
	struct look look = { .sources = sources, .count = count, .start = clock_monotonic_ns() };
	struct error error;
	int status;

	for (size_t i = 0; i < count; i++)
		sources[i].looking = &look;
	if (look_until_whole(&look, body, context, &status, &error) < 0)
		status = command_fail(&error, NULL);
	else
		status = tell(&look, status);
	for (size_t i = 0; i < count; i++)
		resume(&sources[i], &error);
	forget(&look);
	return status;
}

bool source_is_whole(const struct source *source)
{
	return is_whole(source->looking);
}

bool source_may_change(const struct source *source)
{
	return source->vm.client && control_client_hello(source->vm.client)->state != CONTROL_AT_END &&
	       !source->vm.pause.ended && clock_monotonic_ns() - source->looking->start < CHANGE_NS;
}

unsigned int source_looks(const struct source *source)
{
	return source->looking->again;
}
