/* SPDX-License-Identifier: MIT */
/*
 * run.c: the report of `run`: the machine, the operations, the time, the verdict.
 */
#include "base/number.h"
#include "report/json.h"
#include "report/run_parts.h"
#include "report/text.h"

#include <inttypes.h>
#include <string.h>

/* "1.38 ms", or the number of ticks if their frequency is unknown. Returns out. */
static const char *ticks_text(const struct report_run *run, uint64_t ticks, char *out, size_t size)
{
	char count[40];

	if (run->facts.tsc_khz && ticks <= UINT64_MAX / 1000000)
		return text_duration(ticks * 1000000 / run->facts.tsc_khz, out, size);
	snprintf(out, size, "%s TSC ticks", text_count(ticks, count, sizeof(count)));
	return out;
}

static void show_machine(struct report *report, const struct report_run *run)
{
	const char *slash = strrchr(run->program, '/');
	char memory[40], slots[40], ticks[40], frames[40];

	text_heading(report, "Machine");
	text_line(report, PAINT_PLAIN, 2, 14, "guest       %s with %s of RAM and %u CPU%s, flush policy %s",
		  slash ? slash + 1 : run->program, number_bytes(run->memory, memory, sizeof(memory)),
		  run->cpus, run->cpus == 1 ? "" : "s", policy_name(run->policy));
	text_line(report, PAINT_PLAIN, 2, 14, "host        %s, KVM API %d, %s, 1G pages %s", run->facts.kind,
		  run->facts.api_version,
		  text_number_of(run->facts.memory_slots, "memory slot", slots, sizeof(slots)),
		  run->facts.pages_1g ? "work" : "do not work");
	if (run->nodes > 1 && run->facts.host_nodes)
		text_line(report, PAINT_PLAIN, 2, 14, "nodes       %u, their memory on %u of the host",
			  run->nodes, run->facts.host_nodes);
	else if (run->nodes > 1)
		text_line(report, PAINT_PLAIN, 2, 14,
			  "nodes       %u, their memory not bound to nodes of the host: %s", run->nodes,
			  run->facts.not_bound);
	if (run->hello.type)
		text_line(report, PAINT_PLAIN, 2, 14, "boot        %s to the first operation; %s",
			  ticks_text(run, run->hello.value[0], ticks, sizeof(ticks)),
			  text_number_of(run->hello.value[2], "free page frame", frames, sizeof(frames)));
	else
		text_line(report, PAINT_BAD, 2, 14,
			  "boot        the guest never reached its first operation");
}

static void emit_machine(struct report *report, const struct report_run *run)
{
	struct json_object *line = json_start(report, "machine");

	json_add_string(line, "program", run->program);
	json_add_string(line, "script", run->script->path);
	json_add_number(line, "memory", run->memory);
	json_add_number(line, "cpus", run->cpus);
	json_add_number(line, "nodes", run->nodes);
	json_add_number(line, "host_nodes", run->facts.host_nodes);
	json_add_string(line, "policy", policy_name(run->policy));
	json_add_string(line, "kvm", run->facts.kind);
	json_add_number(line, "kvm_api", (uint64_t)run->facts.api_version);
	json_add_number(line, "memory_slots", run->facts.memory_slots);
	json_add_bool(line, "pages_1g", run->facts.pages_1g);
	json_add_bool(line, "booted", run->hello.type);
	json_add_number(line, "boot_ticks", run->hello.value[0]);
	json_add_number(line, "tsc_khz", run->facts.tsc_khz);
	json_add_number(line, "frames", run->hello.value[2]);
	json_finish(report, line);
}

static void part_machine(struct report *report, const struct report_run *run)
{
	if (report->format == REPORT_JSON) {
		emit_machine(report, run);
		return;
	}
	text_line(report, PAINT_BOLD, 0, 2, "kvmap run %s", run->script->path);
	show_machine(report, run);
}

static void show_time(struct report *report, const char *name, uint64_t ns, uint64_t total, const char *note)
{
	char duration[40];

	text_line(report, PAINT_PLAIN, 2, 14, "%-12s %9s  %3" PRIu64 "%%%s", name,
		  text_duration(ns, duration, sizeof(duration)), total ? (ns * 100 + total / 2) / total : 0,
		  note);
}

static void show_times(struct report *report, const struct report_run *run)
{
	const struct report_timing *timing = &run->timing;
	uint64_t named = timing->process_ns + timing->kvm_ns + timing->guest_ns + timing->verify_ns;
	char note[80], count[40];

	snprintf(note, sizeof(note), "  %s to the host",
		 text_number_of(run->facts.exits, "exit", count, sizeof(count)));
	text_heading(report, "Time");
	show_time(report, "process", timing->process_ns, timing->total_ns, "");
	show_time(report, "KVM set-up", timing->kvm_ns, timing->total_ns, "");
	show_time(report, "guest", timing->guest_ns, timing->total_ns, note);
	show_time(report, "verification", timing->verify_ns, timing->total_ns, "");
	if (timing->total_ns > named)
		show_time(report, "the rest", timing->total_ns - named, timing->total_ns, "");
	show_time(report, "total", timing->total_ns, timing->total_ns, "");
}

static void part_time(struct report *report, const struct report_run *run)
{
	struct json_object *line;

	if (report->format == REPORT_TEXT) {
		show_times(report, run);
		return;
	}
	line = json_start(report, "time");
	json_add_number(line, "process_ns", run->timing.process_ns);
	json_add_number(line, "kvm_ns", run->timing.kvm_ns);
	json_add_number(line, "guest_ns", run->timing.guest_ns);
	json_add_number(line, "verify_ns", run->timing.verify_ns);
	json_add_number(line, "total_ns", run->timing.total_ns);
	json_add_number(line, "exits", run->facts.exits);
	json_finish(report, line);
}

/* The verdict of a run without verifications. */
static void fill_not_seen(struct verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	for (unsigned int i = 1; i <= INVARIANTS; i++) {
		verdict->results[i].seen = NOT_SEEN;
		snprintf(verdict->results[i].why_not, sizeof(verdict->results[i].why_not),
			 "nothing was verified");
	}
}

void report_run(struct report *report, const struct report_run *run)
{
	struct verdict nothing;
	struct verdict_run verdict_run = { .verifications = run->verifications,
					   .interrupted = run->interrupted };

	for (size_t i = 0; i < run->step_count; i++)
		verdict_run.refused += KVMAP_STATUS_IS_REFUSED(run->steps[i].result.status) &&
				       step_is_bad(run, &run->steps[i]);
	part_machine(report, run);
	part_timeline(report, run);
	part_warnings(report, run);
	part_totals(report, run);
	part_failure(report, run);
	part_areas(report, run);
	part_death(report, run);
	part_time(report, run);
	if (!run->verdict)
		fill_not_seen(&nothing);
	report_verdict(report, run->verdict ? run->verdict : &nothing, &verdict_run);
}
