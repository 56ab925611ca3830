/* SPDX-License-Identifier: MIT */
/*
 * ps.c: `ps`, and the pauses of a VM.
 */
#include "base/number.h"
#include "base/strbuf.h"
#include "report/json.h"
#include "report/pause.h"
#include "report/ps.h"
#include "report/text.h"

#include <inttypes.h>
#include <time.h>

static const char *const states[] = {
	[CONTROL_RUNNING] = "running",
	[CONTROL_PAUSED] = "paused",
	[CONTROL_AT_END] = "at end",
};

/* "2026-01-31 12:00:00" in local time. */
static const char *since_text(uint64_t since_ns, char *out, size_t size)
{
	time_t seconds = (time_t)(since_ns / 1000000000);
	struct tm local;

	if (!localtime_r(&seconds, &local) || !strftime(out, size, "%Y-%m-%d %H:%M:%S", &local))
		snprintf(out, size, "?");
	return out;
}

static const char *build_id_hex(const struct control_hello *hello, char out[2 * CONTROL_BUILD_ID_MAX + 1])
{
	struct strbuf digits = strbuf_of(out, 2 * CONTROL_BUILD_ID_MAX + 1);

	for (size_t i = 0; i < hello->build_id_size; i++)
		strbuf_add(&digits, "%02x", hello->build_id[i]);
	return out;
}

static void emit_vm(struct report *report, const struct report_vm *vm)
{
	struct json_object *line = json_start(report, "vm");
	char build_id[2 * CONTROL_BUILD_ID_MAX + 1];

	json_add_number(line, "pid", vm->hello->pid);
	json_add_number(line, "cpus", vm->hello->cpus);
	json_add_number(line, "memory", vm->hello->memory);
	json_add_string(line, "state", states[vm->hello->state]);
	json_add_number(line, "since_ns", vm->hello->since_ns);
	json_add_string(line, "script", vm->hello->script);
	json_add_string(line, "program", vm->hello->program);
	json_add_string(line, "build_id", build_id_hex(vm->hello, build_id));
	json_add_string(line, "socket", vm->socket);
	json_finish(report, line);
}

static void show_vm(struct report *report, const struct report_vm *vm)
{
	char bytes[40], since[40];

	text_line(report, PAINT_PLAIN, 0, 55, "%7" PRIu32 "  %4" PRIu32 "  %10s  %-7s  %-19s  %s  %s",
		  vm->hello->pid, vm->hello->cpus, number_bytes(vm->hello->memory, bytes, sizeof(bytes)),
		  states[vm->hello->state], since_text(vm->hello->since_ns, since, sizeof(since)),
		  vm->hello->script, vm->socket);
}

void report_ps(struct report *report, const struct report_vm *vms, size_t count)
{
	if (report->format == REPORT_TEXT)
		text_line(report, PAINT_BOLD, 0, 2, "%7s  %4s  %10s  %-7s  %-19s  %s", "PID", "CPUS",
			  "MEMORY", "STATE", "SINCE", "SCRIPT, SOCKET");
	for (size_t i = 0; i < count; i++) {
		if (report->format == REPORT_TEXT)
			show_vm(report, &vms[i]);
		else
			emit_vm(report, &vms[i]);
	}
}

static void emit_pause(struct report *report, uint32_t pid, const struct report_pause *pause)
{
	struct json_object *line = json_start(report, "pause");

	json_add_number(line, "pid", pid);
	json_add_bool(line, "ended", pause->ended);
	json_add_number(line, "paused_ns", pause->longest_ns);
	json_add_number(line, "client_ns", pause->client_ns);
	json_add_number(line, "pauses", pause->count);
	json_add_number(line, "all_ns", pause->all_ns);
	json_finish(report, line);
}

void report_pause(struct report *report, uint32_t pid, const struct report_pause *pause)
{
	char longest[40], client[40], all[40];

	if (report->format == REPORT_JSON) {
		emit_pause(report, pid, pause);
		return;
	}
	if (pause->ended) {
		text_line(report, PAINT_BAD, 0, 2,
			  "PID %" PRIu32 " ended during the snapshot: its last state is shown", pid);
		return;
	}
	text_duration(pause->longest_ns, longest, sizeof(longest));
	text_duration(pause->client_ns, client, sizeof(client));
	if (pause->count > 1)
		text_line(report, PAINT_FAINT, 0, 2,
			  "paused PID %" PRIu32 " %u times, longest %s (%s including messages), %s in all",
			  pid, pause->count, longest, client, text_duration(pause->all_ns, all, sizeof(all)));
	else
		text_line(report, PAINT_FAINT, 0, 2, "paused PID %" PRIu32 " for %s (%s including messages)",
			  pid, longest, client);
}
