/* SPDX-License-Identifier: MIT */
#include "calls.h"

#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct calls calls;
char calls_open[8];

/* Objects of which only the addresses matter. */
static char a_symbols, a_layout, an_unwinder;
static char a_machine;
struct machine *const calls_machine = (struct machine *)&a_machine;
static struct control_server *const a_server = (struct control_server *)(void *)&calls_open[0];

static void note(const char *name)
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
	return error_set(error, calls.failing_kind, 0, 0x77, "%s", name);
}

static int no_memory(struct error *error)
{
	return error_set(error, ERROR_HOST, 0, 0, "out of memory");
}

static void opens(char letter)
{
	calls_open[strlen(calls_open)] = letter;
}

/* Things are closed once, and NULL is none. */
static void closes(char letter, const void *what)
{
	char *at = strchr(calls_open, letter);

	if (!what)
		return;
	cr_assert(at, "%c is not open", letter);
	memmove(at, at + 1, strlen(at));
}

#define WRAPPED(type, name, parameters)                                                                      \
	type __wrap_##name parameters;                                                                       \
	type __wrap_##name parameters

WRAPPED(uint64_t, clock_monotonic_ns, (void))
{
	return calls.clock_ns += CLOCK_STEP;
}

/* ---- the machine ---- */

WRAPPED(int, machine_create, (const struct machine_config *config, struct machine **out, struct error *error))
{
	calls.machine = *config;
	calls.machine_file = config->program ? config->program->fd : -1;
	if (call("machine_create", error) < 0)
		return -1;
	opens('m');
	*out = calls_machine;
	return 0;
}

WRAPPED(void, machine_destroy, (struct machine * machine))
{
	closes('m', machine);
}

WRAPPED(int, machine_boot, (struct machine * machine, const void *module, size_t size, struct error *error))
{
	cr_expect_eq(machine, calls_machine);
	cr_expect(size == 4 && !memcmp(module, "boot", 4));
	return call("machine_boot", error);
}

WRAPPED(int, machine_run,
	(struct machine * machine, uint64_t deadline_ns, struct machine_event *event, struct error *error))
{
	cr_expect_eq(machine, calls_machine);
	calls.deadline_ns = deadline_ns;
	if (call("run", error) < 0)
		return -1;
	calls.runs++;
	*event = calls.next_event < calls.event_count
			 ? calls.events[calls.next_event++]
			 : (struct machine_event){ .type = MACHINE_EXIT, .value = calls.exit_value };
	return 0;
}

WRAPPED(void, machine_facts, (const struct machine *machine, struct machine_facts *out))
{
	cr_expect_eq(machine, calls_machine);
	*out = (struct machine_facts){ .exits = 123, .open_ns = 456 };
}

WRAPPED(int, machine_vm_fd, (const struct machine *machine))
{
	cr_expect_eq(machine, calls_machine);
	return 77;
}

/* ---- the ring ---- */

/* Results may be more than the channel of world.c has: they are taken at once. */
WRAPPED(bool, machine_ring_push, (struct machine * machine, const struct machine_operations *operations))
{
	struct calls_ring *ring = &calls.ring;
	const uint32_t answered = ring->answers ? operations->count - ring->lost : 0;

	cr_expect_eq(machine, calls_machine);
	cr_assert_leq(operations->count, MACHINE_RING_CAPACITY);
	cr_assert_leq(operations->strings_size, MACHINE_RING_STRINGS);
	cr_assert_leq(ring->given_count + operations->count, sizeof(ring->given) / sizeof(ring->given[0]));
	ring->pushes++;
	memcpy(&ring->given[ring->given_count], operations->items,
	       operations->count * sizeof(ring->given[0]));
	if (operations->strings_size)
		memcpy(ring->strings, operations->strings, operations->strings_size);
	for (uint32_t i = 0; i < answered; i++) {
		struct kvmap_record result = world_result((uint32_t)ring->given_count + i);

		world_record(&result);
		world_take();
	}
	ring->given_count += operations->count;
	return true;
}

WRAPPED(int, machine_ring_waiting, (struct machine * machine))
{
	cr_expect_eq(machine, calls_machine);
	return calls.ring.waiting;
}

WRAPPED(void, machine_continue, (struct machine * machine))
{
	cr_expect_eq(machine, calls_machine);
	note("continue");
}

/* ---- script, program, claims ---- */

WRAPPED(bool, script_interrupts, (const struct script *script))
{
	return script == session.config.script;
}

WRAPPED(int, script_module,
	(const struct script *script, const struct kvmap_boot *boot, void **out, size_t *size_out,
	 struct error *error))
{
	cr_expect_eq(script, session.config.script);
	calls.boot = *boot;
	if (call("script_module", error) < 0)
		return -1;
	*out = memcpy(aligned_alloc(16, 16), "boot", 4);
	*size_out = 4;
	return 0;
}

WRAPPED(int, private_file_read,
	(const char *path, const char *what, struct private_file *out, struct error *error))
{
	cr_expect_str_eq(path, "the/program");
	cr_expect_str_eq(what, "guest program ");
	if (call("private_file_read", error) < 0)
		return -1;
	opens('f');
	*out = (struct private_file){ .fd = CALLS_FILE };
	return 0;
}

WRAPPED(void, private_file_close, (struct private_file * file))
{
	if (file->fd < 0)
		return;
	cr_expect_eq(file->fd, CALLS_FILE);
	closes('f', file);
	*file = (struct private_file){ .fd = -1 };
}

/* Takes the file over, also if it fails. */
WRAPPED(int, symbols_open_file, (struct private_file * file, struct symbols **out, struct error *error))
{
	cr_expect_eq(file->fd, CALLS_FILE);
	private_file_close(file);
	if (call("symbols_open_file", error) < 0)
		return -1;
	opens('s');
	*out = (struct symbols *)&a_symbols;
	return 0;
}

WRAPPED(void, symbols_close, (struct symbols * symbols))
{
	closes('s', symbols);
}

WRAPPED(int, claims_layout_open,
	(const struct symbols *symbols, struct claims_layout **out, struct error *error))
{
	cr_expect_eq(symbols, (const struct symbols *)&a_symbols);
	if (call("claims_layout_open", error) < 0)
		return -1;
	opens('l');
	*out = (struct claims_layout *)&a_layout;
	return 0;
}

WRAPPED(void, claims_layout_close, (struct claims_layout * layout))
{
	closes('l', layout);
}

WRAPPED(int, claims_take_flushes,
	(const struct view *view, const struct walk_mode *mode, const struct claims_layout *layout,
	 struct flush_log *log, struct error *error))
{
	struct claim_flush flush = { .cpu = 9 };

	cr_expect(view == world_view && mode->levels == 4);
	cr_expect_eq(layout, (const struct claims_layout *)&a_layout);
	if (call("flushes", error) < 0)
		return -1;
	return array_push(log, flush) < 0 ? no_memory(error) : 0;
}

WRAPPED(int, claims_read_logged,
	(const struct view *view, const struct walk_mode *mode, const struct claims_layout *layout,
	 const struct flush_log *log, struct claims *out, struct error *error))
{
	struct claim_area area = { .va_start = KVMAP_VMALLOC_START + 4096 };

	cr_expect(view == world_view && mode->levels == 4 && log);
	cr_expect_eq(layout, (const struct claims_layout *)&a_layout);
	cr_expect_eq(out->areas.count, 0, "earlier claims are gone");
	if (call("claims", error) < 0)
		return -1;
	return array_push(&out->areas, area) < 0 ? no_memory(error) : 0;
}

WRAPPED(int, verify, (const struct verify_input *input, struct verdict *out, struct error *error))
{
	calls.verify = *input;
	snprintf(calls.no_stage2, sizeof(calls.no_stage2), "%s", input->no_stage2 ? input->no_stage2 : "");
	if (call("verify", error) < 0)
		return -1;
	for (size_t i = 0; i < calls.verdict.findings.count; i++) {
		if (array_push(&out->findings, calls.verdict.findings.items[i]) == 0)
			continue;
		verdict_destroy(out);
		return no_memory(error);
	}
	memcpy(out->results, calls.verdict.results, sizeof(out->results));
	out->finding_count = calls.verdict.finding_count;
	return 0;
}

WRAPPED(const struct stage2 *, stage2_on_demand_read,
	(struct stage2_on_demand * on_demand, pid_t pid, int vm_fd, struct error *error))
{
	cr_expect_eq(vm_fd, 77);
	cr_expect_eq(pid, getpid());
	return call("stage2", error) < 0 ? NULL : &on_demand->stage2;
}

WRAPPED(int, stage2_reader_check, (struct error * error))
{
	return calls.no_reader ? error_set(error, ERROR_HOST, 0, 0, "no reader in this build") : 0;
}

WRAPPED(int, ranges_collect,
	(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
	 const uint64_t *breaks, size_t break_count, struct ranges *out, struct error *error))
{
	cr_expect(view == world_view && mode->levels == 4);
	cr_expect(start == KVMAP_VMALLOC_START && end == KVMAP_VMALLOC_END - 1);
	calls.break_count = break_count;
	if (break_count)
		cr_expect_eq(breaks[0], KVMAP_VMALLOC_START + 4096);
	if (call("ranges", error) < 0)
		return -1;
	*out = (struct ranges){ .items = aligned_alloc(16, sizeof(struct range) & ~15ul), .leaves = 99 };
	return 0;
}

WRAPPED(struct unwinder *, unwinder_open, (const struct symbols *symbols))
{
	(void)symbols;
	return call("unwinder_open", &(struct error){ 0 }) < 0 ? NULL : (struct unwinder *)&an_unwinder;
}

WRAPPED(void, unwinder_close, (struct unwinder * unwinder))
{
	cr_expect(!unwinder || unwinder == (struct unwinder *)&an_unwinder);
}

WRAPPED(void, unwinder_take,
	(struct unwinder * unwinder, const struct view *view, const struct walk_mode *mode,
	 const struct view_cpu *registers, struct backtrace *out))
{
	cr_expect_eq(unwinder, (struct unwinder *)&an_unwinder);
	cr_expect(view == world_view && mode->levels == 4);
	note("unwind");
	calls.unwound = *registers;
	out->count = 3;
}

/* ---- the control socket ---- */

WRAPPED(int, control_vm_open, (struct machine * machine, struct control_vm *out, struct error *error))
{
	cr_expect_eq(machine, calls_machine);
	if (call("control_vm_open", error) < 0)
		return -1;
	opens('c');
	*out = (struct control_vm){ .memory.region_count = 5 };
	return 0;
}

WRAPPED(void, control_vm_close, (struct control_vm * vm))
{
	closes('c', vm);
}

WRAPPED(int, control_server_start,
	(const char *path, const struct control_vm *vm, struct control_server **out, struct error *error))
{
	snprintf(calls.socket, sizeof(calls.socket), "%s", path);
	calls.served = vm;
	if (call("control_server_start", error) < 0)
		return -1;
	opens('v');
	*out = a_server;
	return 0;
}

WRAPPED(void, control_server_stop, (struct control_server * server))
{
	closes('v', server);
}

WRAPPED(int, control_server_at_end, (struct control_server * server))
{
	cr_expect_eq(server, a_server);
	note("at_end");
	return world_resumed;
}

WRAPPED(int, control_socket_path_own, (char *out, size_t size, struct error *error))
{
	if (call("control_socket_path_own", error) < 0)
		return -1;
	snprintf(out, size, "%s", world_own_path);
	return 0;
}

WRAPPED(int, control_socket_path_link, (const char *mine, const char *path, struct error *error))
{
	snprintf(calls.link, sizeof(calls.link), "%s", mine);
	snprintf(calls.linked, sizeof(calls.linked), "%s", path);
	return call("control_socket_path_link", error);
}

WRAPPED(bool, build_id_of_file, (const struct symbols *symbols, struct build_id *out))
{
	cr_expect_eq(symbols, (const struct symbols *)&a_symbols);
	*out = (struct build_id){ .bytes = { 1, 2, 3 }, .size = calls.build_id_size };
	return calls.build_id_size;
}
