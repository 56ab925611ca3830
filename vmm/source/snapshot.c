/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c: how a reader gets one moment of its sources.
 *
 * The first call of the reader, on the running VM, only records which pages it reads. Then the VM is paused,
 * those pages are copied, and the VM runs on before the reader is called again. If the guest has changed, the
 * reader may now want pages that were not copied, and the next pause copies these, too. After PAUSES_MAX
 * pauses the reader is called while the VM is paused, so that it always comes to an end.
 */
#include "source/snapshot.h"

#include "base/clock.h"
#include "base/number.h"
#include "base/page.h"
#include "program/build_id.h"
#include "source/internal.h"

#include <inttypes.h>
#include <time.h>

#define PAUSES_MAX 6

/* How long SOURCE_AGAIN is allowed. */
#define REPEAT_NS 2000000000ull

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
	char offset[40];
	int result;

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
	/* The layout has the addresses of the file. */
	if (symbols_offset(source->symbols)) {
		error_set(
			&source->no_claims, ERROR_INPUT, 0, 0,
			"the guest's program runs at an offset of %s to the addresses of its file: its claims "
			"cannot be read",
			number_offset(symbols_offset(source->symbols), offset, sizeof(offset)));
		return;
	}
	if (source->wanted == SOURCE_AREAS)
		result = claims_read_areas(source->view, &source->mode, source->own_layout,
					   &source->own_claims, &source->no_claims);
	else
		result = claims_read(source->view, &source->mode, source->own_layout, &source->own_claims,
				     &source->no_claims);
	if (result == 0)
		source->claims = &source->own_claims;
}

/* Whether the top table is in the core. Damage in a guest is a finding, but a core can be a part of the memory. */
static bool has_top_table(const struct source *source, struct error *error)
{
	const struct view *view = source->view;
	uint64_t root = source->mode.root;

	if (view_region(view, root, PAGE_4K))
		return true;
	for (size_t i = 0; i < view->gaps.count; i++) {
		const struct view_gap *gap = &view->gaps.items[i];

		if (root - gap->gpa >= gap->size)
			continue;
		error_set(error, ERROR_INPUT, 0, root,
			  "the top table of CPU %u, at GPA 0x%" PRIx64
			  ", is not in this core: of the segment at GPA 0x%" PRIx64 " it has 0x%" PRIx64
			  " of 0x%" PRIx64 " bytes; dump the guest without -p",
			  source->cpu, root, gap->gpa, gap->has, gap->size);
		return false;
	}
	error_set(error, ERROR_INPUT, 0, root,
		  "the top table of CPU %u, at GPA 0x%" PRIx64
		  ", is not in this core, which has %u piece%s of memory up to GPA 0x%" PRIx64,
		  source->cpu, root, view->region_count, view->region_count == 1 ? "" : "s",
		  view->regions[view->region_count - 1].gpa + view->regions[view->region_count - 1].size);
	return false;
}

int source_find_mode(const struct source *source, const struct view *view, unsigned int *cpu_out,
		     struct walk_mode *out, struct error *error)
{
	if (!source->one_cpu)
		return walk_mode_find(view, cpu_out, out, error);
	*cpu_out = source->cpu;
	return walk_mode_of_cpu(view, source->cpu, out, error);
}

/* If there is none, source->no_claims says why. */
static void find_mode(struct source *source)
{
	struct error *error = &source->no_claims;
	int result = source_find_mode(source, source->view, &source->cpu, &source->mode, error);

	source->has_mode = result == 0 && (!source->core || has_top_table(source, error));
}

/* Whether the CPU whose page tables are missing may get some. */
static bool is_starting(const struct source *source)
{
	return control_client_hello(source->vm.client)->state != CONTROL_AT_END &&
	       source->cpu < source->view->cpu_count;
}

/* Reads the paging mode and the claims of a view. */
static int read_source(struct source *source, struct error *error)
{
	if (source->session) {
		if (source->session->has_mode)
			find_mode(source);
		return 0;
	}
	find_mode(source);
	if (source->has_mode) {
		read_claims(source);
		return 0;
	}
	source->symbols = NULL;
	source->claims = NULL;
	*error = source->no_claims;
	if (!source->vm.client)
		return 0;
	if (is_starting(source) && source->one_cpu)
		error_set(
			error, ERROR_GUEST, 0, 0,
			"the VM of process %u is starting: its CPU %u has no page tables yet; try again, or "
			"use --wait",
			source_pid(source), source->cpu);
	else if (is_starting(source))
		error_set(error, ERROR_GUEST, 0, 0,
			  "the VM of process %u is starting: its guest has no page tables yet; try again, or "
			  "use --wait",
			  source_pid(source));
	return -1;
}

static int pause_vm(struct source *source, bool first, struct error *error)
{
	if (!source->vm.client)
		return 0;
	source->vm.paused = true;
	if (control_client_pause(source->vm.client, &source->view, error) < 0)
		return -1;
	/* The first call only records pages of the guest: it needs no second stage. */
	source->stage2_paused = NULL;
	if (source->stage2 && !first)
		source->stage2_paused = stage2_on_demand_read(
			&source->stage2_reading, (pid_t)source_pid(source), -1, &source->no_stage2);
	return 0;
}

/* Pauses the VMs, copies what was read before, and lets them run on, unless the reader needs them paused. */
static int begin(struct snapshot *snapshot, struct error *error)
{
	bool keep_paused = snapshot->pauses == PAUSES_MAX;

	for (size_t i = 0; i < snapshot->count; i++) {
		struct source *source = &snapshot->sources[i];

		if (pause_vm(source, !snapshot->pauses, error) < 0 ||
		    (!keep_paused && resume(source, error) < 0) || read_source(source, error) < 0)
			return -1;
	}
	return 0;
}

/* Whether all that was read since begin() is of one moment. */
static bool is_final(const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->count; i++) {
		const struct source *source = &snapshot->sources[i];

		if (source->vm.client && !source->vm.paused &&
		    (!snapshot->pauses || !control_client_is_complete(source->vm.client)))
			return false;
	}
	return true;
}

/* Ends --stop. */
static int continue_process(struct source *source, struct error *error)
{
	struct ptrace_stop_end end;

	ptrace_stop_end(source->process.stop, &end);
	source->process.stop = NULL;
	source->process.summary.stopped_ns = end.stopped_ns;
	if (!end.expired)
		return 0;
	return error_set(error, ERROR_HOST, 0, 0,
			 "process %" PRIu32
			 " continued by itself after a stop of %llu s: what was read may be inconsistent",
			 source->process.summary.pid, PTRACE_STOP_MAX_NS / 1000000000);
}

int source_end_stop(struct source *source, struct error *error)
{
	source->snapshot->has_ended = true;
	if (resume(source, error) < 0)
		return -1;
	return source->process.stop ? continue_process(source, error) : 0;
}

static int end(struct snapshot *snapshot, struct error *error)
{
	snapshot->is_final = snapshot->has_ended || is_final(snapshot);
	for (size_t i = 0; i < snapshot->count; i++) {
		struct source *source = &snapshot->sources[i];

		if (resume(source, error) < 0)
			return -1;
		if (snapshot->is_final && source->process.stop && continue_process(source, error) < 0)
			return -1;
	}
	return 0;
}

/* Waits for a time that varies, so that snapshots are not in step with the guest. */
static void let_it_run(const struct snapshot *snapshot)
{
	const struct timespec some = { .tv_nsec = 300000 + snapshot->repeats % 7 * 150000 };

	nanosleep(&some, NULL);
}

static int read_until_final(struct snapshot *snapshot, source_reader *read, void *context,
			    struct error *error)
{
	for (;;) {
		enum source_next next;

		if (begin(snapshot, error) < 0)
			return -1;
		next = read(snapshot->sources, context);
		if (end(snapshot, error) < 0)
			return -1;
		if (!snapshot->is_final) {
			snapshot->pauses++;
			continue;
		}
		if (next == SOURCE_DONE)
			return 0;
		/* The pages are known from the first call: a repeated snapshot begins with a pause. */
		snapshot->pauses = 1;
		snapshot->repeats++;
		let_it_run(snapshot);
	}
}

int source_snapshot(struct source *sources, size_t count, source_reader *read, void *context,
		    struct error *error)
{
	struct snapshot snapshot = { .sources = sources, .count = count, .start_ns = clock_monotonic_ns() };
	struct error ignored;
	int result;

	for (size_t i = 0; i < count; i++)
		sources[i].snapshot = &snapshot;
	result = read_until_final(&snapshot, read, context, error);
	for (size_t i = 0; i < count; i++) {
		resume(&sources[i], &ignored);
		sources[i].snapshot = NULL;
	}
	return result;
}

bool source_is_final(const struct source *source)
{
	return is_final(source->snapshot);
}

bool snapshot_may_repeat(const struct source *source)
{
	return source->vm.client && control_client_hello(source->vm.client)->state != CONTROL_AT_END &&
	       !source->vm.pause.ended && clock_monotonic_ns() - source->snapshot->start_ns < REPEAT_NS;
}
