/* SPDX-License-Identifier: MIT */
#include "calls.h"

#include "base/x86.h"
#include "kvm/host_kind.h"
#include "program/build_id.h"
#include "view/process.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct calls calls;
struct tables tables;

static char objects[5];
struct control_client *const a_client = (struct control_client *)&objects[0];
struct symbols *const some_symbols = (struct symbols *)&objects[1];
struct claims_layout *const a_layout = (struct claims_layout *)&objects[2];
struct stage2_reader *const a_reader = (struct stage2_reader *)&objects[3];
struct ptrace_stop *const a_stop = (struct ptrace_stop *)&objects[4];

void calls_start(void)
{
	tables_init(&tables, 4);
	tables.view.cpu_count = 1;
	tables.view.cpus[0] = (struct view_cpu){
		.cr0 = CR0_PG | CR0_PE, .cr3 = tables.mode.root, .cr4 = CR4_PAE, .efer = EFER_LMA
	};
	calls = (struct calls){ .complete_from = 2, .stop_end.stopped_ns = 555 };
	for (unsigned int i = 0; i < 16; i++)
		calls.times[i] = (struct control_pause_time){ .vm_ns = 100, .client_ns = 200 };
}

void calls_end(void)
{
	tables_destroy(&tables);
}

void note(const char *name)
{
	size_t length = strlen(calls.log);

	snprintf(calls.log + length, sizeof(calls.log) - length, "%s ", name);
}

/* Notes the call; -1 if it is to fail. */
static int call(const char *name, struct error *error)
{
	note(name);
	if (!calls.failing || strcmp(calls.failing, name) != 0)
		return 0;
	calls.failing = NULL;
	return error_set(error, ERROR_HOST, 0, 0x77, "%s", name);
}

#define WRAPPED(type, name, parameters)                                                                      \
	type __wrap_##name parameters;                                                                       \
	type __wrap_##name parameters

WRAPPED(uint64_t, clock_monotonic_ns, (void))
{
	return calls.clock_ns;
}

WRAPPED(int, nanosleep, (const struct timespec *time, struct timespec *left))
{
	(void)left;
	note("sleep");
	calls.slept_ns = time->tv_nsec;
	return (int)time->tv_sec;
}

WRAPPED(int, control_client_pause,
	(struct control_client * client, const struct view **out, struct error *error))
{
	cr_expect_eq(client, a_client);
	if (call("pause", error) < 0)
		return -1;
	calls.pauses++;
	*out = &tables.view;
	return 0;
}

WRAPPED(int, control_client_resume,
	(struct control_client * client, struct control_pause_time *out, struct error *error))
{
	cr_expect_eq(client, a_client);
	if (call("resume", error) < 0)
		return -1;
	*out = calls.times[(calls.pauses - 1) % 16];
	return 0;
}

WRAPPED(bool, control_client_is_complete, (const struct control_client *client))
{
	cr_expect_eq(client, a_client);
	return calls.pauses >= calls.complete_from;
}

WRAPPED(const struct control_hello *, control_client_hello, (const struct control_client *client))
{
	cr_expect_eq(client, a_client);
	return &calls.hello;
}

WRAPPED(int, build_id_check,
	(struct symbols * symbols, const struct view *view, const struct walk_mode *mode,
	 struct error *error))
{
	cr_expect(symbols == some_symbols && view == &tables.view && mode->levels == 4);
	return call("build_id", error);
}

WRAPPED(uint64_t, symbols_offset, (const struct symbols *symbols))
{
	cr_expect_eq(symbols, some_symbols);
	return calls.symbols_offset;
}

static int read_claims(const char *name, const struct view *view, const struct walk_mode *mode,
		       const struct claims_layout *layout, struct claims *out, struct error *error)
{
	struct claim_area area = { 0 };

	cr_expect(view == &tables.view && mode->levels == 4 && layout == a_layout);
	cr_expect_eq(out->areas.count, 0, "earlier claims are gone");
	if (call(name, error) < 0)
		return -1;
	return array_push(&out->areas, area);
}

WRAPPED(int, claims_read,
	(const struct view *view, const struct walk_mode *mode, const struct claims_layout *layout,
	 struct claims *out, struct error *error))
{
	return read_claims("claims", view, mode, layout, out, error);
}

WRAPPED(int, claims_read_areas,
	(const struct view *view, const struct walk_mode *mode, const struct claims_layout *layout,
	 struct claims *out, struct error *error))
{
	return read_claims("areas", view, mode, layout, out, error);
}

WRAPPED(struct host_kind, host_kind_find, (const char *modules))
{
	cr_expect_str_eq(modules, "/sys/module");
	return (struct host_kind){ .module = "kvm", .hardware = calls.hardware };
}

/* The pieces are the tables' RAM. */
WRAPPED(int, process_view_open,
	(pid_t pid, const struct process_memory *pieces, size_t count, struct view **out,
	 struct error *error))
{
	cr_expect_eq(pid, 4711);
	cr_assert_eq(count, 2);
	for (uint64_t i = 0; i < 2; i++)
		cr_expect(pieces[i].gpa == (i + 1) << 20 && pieces[i].size == (i + 1) << 12 &&
			  pieces[i].hva == (i + 1) << 30);
	if (call("view", error) < 0)
		return -1;
	*out = memcpy(malloc(sizeof(**out)), &tables.view, sizeof(**out));
	(*out)->cpus = NULL;
	(*out)->cpu_count = (*out)->cpu_capacity = 0;
	return 0;
}

WRAPPED(int, ptrace_stop_begin, (pid_t pid, uint64_t limit_ns, struct ptrace_stop **out, struct error *error))
{
	cr_expect_eq(pid, 4711);
	cr_expect_eq(limit_ns, PTRACE_STOP_MAX_NS);
	if (call("stop", error) < 0)
		return -1;
	*out = a_stop;
	return 0;
}

WRAPPED(void, ptrace_stop_end, (struct ptrace_stop * stop, struct ptrace_stop_end *out))
{
	cr_expect_eq(stop, a_stop);
	note("continue");
	*out = calls.stop_end;
}

WRAPPED(void, stage2_on_demand_open, (struct stage2_on_demand * on_demand))
{
	if (call("reader", &on_demand->no_reader) == 0)
		on_demand->reader = a_reader;
}

WRAPPED(const struct stage2 *, stage2_on_demand_read,
	(struct stage2_on_demand * on_demand, pid_t pid, int vm_fd, struct error *error))
{
	cr_expect(pid == 4711 && vm_fd == -1);
	return call("stage2", error) < 0 ? NULL : &on_demand->stage2;
}

WRAPPED(int, stage2_read_guest,
	(struct stage2_reader * reader, pid_t pid, int vm_fd, struct stage2_guest *out, struct error *error))
{
	cr_expect(reader == a_reader && pid == 4711 && vm_fd == 12);
	if (call("guest", error) < 0)
		return -1;
	*out = calls.guest;
	return 0;
}
