/* SPDX-License-Identifier: MIT */
#include "session/session.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/data_path.h"
#include "base/escape.h"
#include "session/accept.h"
#include "session/expectations.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- records ---- */

/* The end of a `parallel` has come when as many results have as it has operations. */
static void parallel_end(struct session *session)
{
	free(session->parallel_done);
	session->parallel_done = NULL;
}

static int parallel_begin(struct session *session, uint32_t index)
{
	const struct script *script = session->config.script;
	size_t count = script->operations.items[index].operand[0].value;

	if (!count)
		return 0;
	session->parallel_start = index + 1ul;
	session->parallel_end = session->parallel_start + count;
	session->parallel_done = calloc(count, sizeof(*session->parallel_done));
	return session->parallel_done ? 0 : -1;
}

/* Each operation ends once, in order: a guest that says more than it was asked to is not believed. */
static bool is_due(struct session *session, uint32_t index)
{
	bool *done;

	if (index >= session->config.script->operations.count)
		return false;
	if (!session->parallel_done)
		return index == session->steps.count;
	if (index < session->parallel_start || index >= session->parallel_end)
		return false;
	done = &session->parallel_done[index - session->parallel_start];
	if (*done)
		return false;
	return *done = true;
}

static int take_result(struct session *session, const struct kvmap_record *record)
{
	struct report_step step = { 0 };

	if (record->cpu >= KVMAP_CPUS_MAX || !is_due(session, record->operation)) {
		session->run.dropped_records++;
		return 0;
	}
	step = session->pending[record->cpu];
	session->pending[record->cpu] = (struct report_step){ 0 };
	step.result = *record;
	if (array_push(&session->steps, step) < 0 || expectations_check_step(session, &step) < 0)
		return -1;
	session->verified = false;
	if (session->parallel_done && session->steps.count == session->parallel_end)
		parallel_end(session);
	if (session->config.script->operations.items[record->operation].opcode == KVMAP_OP_PARALLEL)
		return parallel_begin(session, record->operation);
	return 0;
}

static void take_fault(struct session *session, const struct kvmap_record *record)
{
	if (record->cpu < KVMAP_CPUS_MAX)
		session->pending[record->cpu] = (struct report_step){
			.fault = *record,
			.warning = session->pending[record->cpu].warning,
		};
	else
		session->run.dropped_records++;
}

static void take_warning(struct session *session, const struct kvmap_record *record)
{
	if (record->cpu < KVMAP_CPUS_MAX)
		session->pending[record->cpu].warning = *record;
	else
		session->run.dropped_records++;
}

static void take_registers(struct session *session, const struct kvmap_record *record)
{
	if (record->detail < 3)
		memcpy(&session->death.oops_registers[record->detail * 6ul], record->value,
		       sizeof(record->value));
}

static int take_records(struct session *session)
{
	struct kvmap_record record;
	bool damaged = false;

	while (machine_next_record(session->machine, &record, &damaged)) {
		switch (record.type) {
		case KVMAP_RECORD_HELLO: session->run.hello = record; break;
		case KVMAP_RECORD_BYE: session->run.bye = record; break;
		case KVMAP_RECORD_FAULT: take_fault(session, &record); break;
		case KVMAP_RECORD_WARNING: take_warning(session, &record); break;
		case KVMAP_RECORD_OOPS: session->death.oops = record; break;
		case KVMAP_RECORD_REGISTERS: take_registers(session, &record); break;
		case KVMAP_RECORD_RESULT:
			if (take_result(session, &record) < 0)
				return -1;
			break;
		default: session->run.dropped_records++;
		}
	}
	if (damaged)
		session->run.dropped_records++;
	return 0;
}

/* ---- looking at the stopped guest ---- */

static int look(struct session *session, struct error *error)
{
	session->has_mode = false;
	if (machine_view(session->machine, &session->view, error) < 0)
		return -1;
	/* All CPUs have the same tables; one that died may have lost its registers. */
	for (unsigned int cpu = 0; !session->has_mode && (!cpu || cpu < session->view->cpu_count); cpu++)
		session->has_mode = walk_mode_of_cpu(session->view, cpu, &session->mode, error) == 0;
	return session->has_mode ? 0 : -1;
}

/* The ring of flushes is half full: what is in it is needed later, at the next verification. */
static int take_flushes(struct session *session, struct error *error)
{
	struct error ignored;

	return look(session, &ignored) < 0 ? 0
					   : claims_take_flushes(session->view, &session->mode,
								 session->layout, &session->flushes, error);
}

/* What the guest claims now replaces what it claimed before. */
static int read_claims(struct session *session, struct error *error)
{
	if (look(session, error) < 0)
		return -1;
	claims_destroy(&session->claims);
	session->run.claims = NULL;
	session->claims = (struct claims){ 0 };
	if (claims_read_logged(session->view, &session->mode, session->layout, &session->flushes,
			       &session->claims, error) < 0)
		return -1;
	session->run.claims = &session->claims;
	return 0;
}

static int verify_now(struct session *session, struct error *error)
{
	uint64_t start = clock_monotonic_ns();
	struct verdict verdict = { 0 };
	int result = -1;

	session->verified = true;
	if (read_claims(session, error) < 0) {
		if (error->kind != ERROR_GUEST)
			return -1;
		if (expectations_unreadable(session, error) < 0)
			return error_set(error, ERROR_HOST, 0, 0, "out of memory");
		return 0;
	}
	struct error not_seen;
	struct verify_input input = {
		.view = session->view,
		.mode = &session->mode,
		.claims = &session->claims,
		.symbols = session->symbols,
		.variable_names = (const char *const *)session->config.script->variables.items,
		.variable_name_count = session->config.script->variables.count,
	};
	if (session->config.stage2) {
		input.stage2 = stage2_on_demand_read(&session->stage2, getpid(),
						     machine_vm_fd(session->machine), &not_seen);
		input.no_stage2 = not_seen.text;
	}
	if (verify(&input, &verdict, error) == 0) {
		result = session->run.verifications ? verdict_add(&session->verdict, &verdict)
						    : expectations_first_verdict(session, &verdict);
		if (result < 0)
			error_set(error, ERROR_HOST, 0, 0, "out of memory");
	}
	verdict_destroy(&verdict);
	session->run.verifications++;
	session->run.timing.verify_ns += clock_monotonic_ns() - start;
	return result;
}

static void check_fault(struct session *session, unsigned int cpu)
{
	struct report_step *step = &session->pending[cpu];
	struct error ignored;

	if (!step->fault.type || look(session, &ignored) < 0)
		return;
	walk_translate(session->view, &session->mode, step->fault.value[0], &step->fault_walk);
	step->fault_checked = true;
}

/* The vmalloc range at the end, cut where areas begin. */
static void collect_ranges(struct session *session)
{
	struct error ignored;
	size_t count;
	uint64_t *breaks = claims_area_starts(&session->claims, &count);

	if (!breaks)
		return;
	if (ranges_collect(session->view, &session->mode, KVMAP_VMALLOC_START, KVMAP_VMALLOC_END - 1, breaks,
			   count, &session->ranges, &ignored) == 0)
		session->run.ranges = &session->ranges;
	free(breaks);
}

/* ---- its end ---- */

/* A guest that gives up says why on the serial port. */
static void take_last_words(struct session *session)
{
	struct report_death *death = &session->death;
	size_t length, start;
	const char *text = machine_serial(session->machine, &length);

	while (length && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		length--;
	for (start = length; start && text[start - 1] != '\n'; start--)
		;
	text_escape(text + start, length - start, death->last_words, sizeof(death->last_words));
}

/* The registers of the guest's own report, in the order of KVMAP_RECORD_REGISTERS, else those of the CPU. */
static struct view_cpu death_registers(const struct report_death *death)
{
	const uint64_t *r = death->oops_registers;

	if (!death->oops.type)
		return death->registers;
	return (struct view_cpu){
		.rax = r[0],
		.rbx = r[1],
		.rcx = r[2],
		.rdx = r[3],
		.rsi = r[4],
		.rdi = r[5],
		.rbp = r[6],
		.rsp = r[7],
		.r8 = r[8],
		.r9 = r[9],
		.r10 = r[10],
		.r11 = r[11],
		.r12 = r[12],
		.r13 = r[13],
		.r14 = r[14],
		.r15 = r[15],
		.rip = death->oops.value[3],
	};
}

static void take_backtrace(struct session *session)
{
	struct unwinder *unwinder = unwinder_open(session->symbols);
	struct view_cpu registers = death_registers(&session->death);

	if (unwinder)
		unwinder_take(unwinder, session->view, &session->mode, &registers, &session->death.backtrace);
	unwinder_close(unwinder);
}

static int take_death(struct session *session, const struct machine_event *event)
{
	struct report_death *death = &session->death;
	struct error ignored;
	uint64_t rip;

	death->event = *event;
	session->run.death = death;
	take_last_words(session);
	if (machine_view(session->machine, &session->view, &ignored) == 0 &&
	    event->cpu < session->view->cpu_count) {
		death->registers = session->view->cpus[event->cpu];
		death->has_registers = death->registers.cr0;
		rip = death->oops.type ? death->oops.value[3] : death->registers.rip;
		/*
		 * In the middle of an operation claims and tables may differ: they are shown, not verified.
		 */
		if (read_claims(session, &ignored) == 0)
			collect_ranges(session);
		if (session->has_mode && (death->oops.type || death->has_registers))
			take_backtrace(session);
		if (session->has_mode) {
			for (death->code_size = sizeof(death->code); death->code_size; death->code_size--)
				if (walk_read(session->view, &session->mode, rip, death->code,
					      death->code_size, &ignored) == 0)
					break;
		}
	}
	return expectations_check_death(session);
}

/* Runs to the guest's end. 0, or -1 with an error when it cannot go on. */
static int run_guest(struct session *session, struct error *error)
{
	uint64_t deadline = clock_monotonic_ns() + session->config.timeout_ns;
	struct machine_event event;

	for (;;) {
		uint64_t start = clock_monotonic_ns();

		if (machine_run(session->machine, deadline, &event, error) < 0)
			return -1;
		session->run.timing.guest_ns += clock_monotonic_ns() - start;
		if (take_records(session) < 0)
			return error_set(error, ERROR_HOST, 0, 0, "out of memory");
		if (event.type != MACHINE_DOORBELL)
			break;
		if (event.value == KVMAP_DOORBELL_FAULT)
			check_fault(session, event.cpu);
		if (event.value == KVMAP_DOORBELL_VERIFY && verify_now(session, error) < 0)
			return -1;
		if (event.value == KVMAP_DOORBELL_FLUSHES && take_flushes(session, error) < 0)
			return -1;
	}
	session->reached_end = event.type == MACHINE_EXIT &&
			       (event.value == KVMAP_EXIT_OK || event.value == KVMAP_EXIT_REFUSED);
	if (!session->reached_end)
		return take_death(session, &event) < 0 ? error_set(error, ERROR_HOST, 0, 0, "out of memory")
						       : 0;
	return 0;
}

static int boot(struct session *session, struct error *error)
{
	const struct session_config *config = &session->config;
	struct machine_config machine_config = {
		.kvm_path = config->kvm_path,
		.program = config->program,
		.memory = config->memory,
		.cpus = config->cpus,
		.holdable = config->control,
		.nodes = config->nodes,
		.interrupts = script_interrupts(config->script),
	};
	struct kvmap_boot record = {
		.flags = (config->serial ? KVMAP_BOOT_SERIAL : 0) |
			 (config->debug_slab ? KVMAP_BOOT_DEBUG_SLAB : 0),
		.policy = config->policy,
		.seed = config->seed,
		.fail_allocation = config->fail_allocation,
	};
	void *module;
	size_t size;
	int result;

	if (machine_create(&machine_config, &session->machine, error) < 0 ||
	    script_module(config->script, &record, &module, &size, error) < 0)
		return -1;
	result = machine_boot(session->machine, module, size, error);
	free(module);
	return result;
}

static int open_guest_file(struct session *session, struct error *error)
{
	uint64_t start = clock_monotonic_ns();

	if (symbols_open(session->config.program, &session->symbols, error) < 0 ||
	    claims_layout_open(session->symbols, &session->layout, error) < 0)
		return -1;
	session->run.symbols = session->symbols;
	session->run.timing.verify_ns += clock_monotonic_ns() - start;
	return 0;
}

static void fill_run(struct session *session)
{
	struct report_run *run = &session->run;

	run->program = session->config.program;
	run->script = session->config.script;
	run->memory = session->config.memory;
	run->cpus = session->config.cpus;
	run->nodes = session->config.nodes;
	run->policy = session->config.policy;
	run->fail_allocation = session->config.fail_allocation;
	run->steps = session->steps.items;
	run->step_count = session->steps.count;
	run->verdict = &session->verdict;
	machine_facts(session->machine, &run->facts);
	run->timing.kvm_ns = run->facts.open_ns;
}

int session_run(const struct session_config *config, struct session **out, struct error *error)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	session->config = *config;
	expectations_begin(&session->verdict);
	if (boot(session, error) < 0 || open_guest_file(session, error) < 0 ||
	    (config->control && acceptor_start(session, &session->acceptor, error) < 0) ||
	    run_guest(session, error) < 0)
		goto failed;
	if (session->reached_end) {
		if (verify_now(session, error) < 0)
			goto failed;
		collect_ranges(session);
	}
	if (expectations_check_end(session) < 0) {
		error_set(error, ERROR_HOST, 0, 0, "out of memory");
		goto failed;
	}
	fill_run(session);
	*out = session;
	return 0;
failed:
	session_destroy(session);
	return -1;
}

void session_destroy(struct session *session)
{
	if (!session)
		return;
	acceptor_stop(session->acceptor);
	verdict_destroy(&session->verdict);
	ranges_destroy(&session->ranges);
	claims_destroy(&session->claims);
	flush_log_destroy(&session->flushes);
	claims_layout_close(session->layout);
	symbols_close(session->symbols);
	stage2_on_demand_close(&session->stage2);
	machine_destroy(session->machine);
	parallel_end(session);
	free(session->steps.items);
	free(session);
}

int session_program(const char *program, char *out, size_t size, struct error *error)
{
	if (!program)
		return data_path_find("guest/kvmap-guest.elf", out, size, error);
	if ((size_t)snprintf(out, size, "%s", program) >= size)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "the path of the guest's program is longer than %zu bytes", size - 1);
	return 0;
}
