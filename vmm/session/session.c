/* SPDX-License-Identifier: MIT */
#include "session/session.h"

#include "base/progress.h"
#include "base/clock.h"
#include "base/data_path.h"
#include "base/signals.h"
#include "base/private_file.h"
#include "session/accept.h"
#include "history/history.h"
#include "session/expectations.h"
#include "session/internal.h"

#include <stdlib.h>

int session_run_guest(struct session *session, uint64_t deadline_ns, struct machine_event *event,
		      struct error *error)
{
	for (;;) {
		uint64_t start = clock_monotonic_ns();

		progress_set("the guest runs %s", session->config.script->path);
		if (machine_run(session->machine, deadline_ns, event, error) < 0)
			return -1;
		session->run.timing.guest_ns += clock_monotonic_ns() - start;
		if (session_take_records(session) < 0)
			return error_set(error, ERROR_HOST, 0, 0, "out of memory");
		if (event->type != MACHINE_DOORBELL ||
		    (event->value == KVMAP_DOORBELL_IDLE && session->config.ring))
			return 0;
		if (event->value == KVMAP_DOORBELL_FAULT)
			session_check_fault(session, event->cpu);
		if (event->value == KVMAP_DOORBELL_VERIFY && session_verify(session, error) < 0)
			return -1;
		if (event->value == KVMAP_DOORBELL_SHOW && session_show(session, error) < 0)
			return -1;
		if (event->value == KVMAP_DOORBELL_FLUSHES && session_take_flushes(session, error) < 0)
			return -1;
		if (event->value == KVMAP_DOORBELL_LOG && session_take_log(session, error) < 0)
			return -1;
	}
}

int session_take_end(struct session *session, const struct machine_event *event, struct error *error)
{
	session->reached_end = event->type == MACHINE_EXIT &&
			       (event->value == KVMAP_EXIT_OK || event->value == KVMAP_EXIT_REFUSED);
	if (!session->reached_end && session_take_death(session, event) < 0)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	return 0;
}

/* Runs to the guest's end. 0, or -1 with an error when it cannot go on. */
static int run_to_end(struct session *session, struct error *error)
{
	uint64_t deadline_ns = clock_monotonic_ns() + session->config.timeout_ns;
	struct machine_event event;

	if (session_run_guest(session, deadline_ns, &event, error) < 0)
		return -1;
	return session_take_end(session, &event, error);
}

static int boot(struct session *session, struct error *error)
{
	const struct session_config *config = &session->config;
	struct machine_config machine_config = {
		.kvm_path = config->kvm_path,
		.program = &session->program_file,
		.memory = config->memory,
		.cpus = config->cpus,
		.holdable = config->control,
		.nodes = config->nodes,
		/* Operations that are typed later may need them. */
		.interrupts = config->ring || script_interrupts(config->script),
		.ring = config->ring,
		.jitter = config->jitter,
	};
	struct kvmap_boot record = {
		.flags = (config->serial ? KVMAP_BOOT_SERIAL : 0) |
			 (config->debug_slab ? KVMAP_BOOT_DEBUG_SLAB : 0) |
			 (config->log ? KVMAP_BOOT_LOG : 0) |
			 (config->debug_locks ? KVMAP_BOOT_DEBUG_LOCKS : 0) |
			 (config->ring ? KVMAP_BOOT_INTERRUPTS : 0),
		.policy = config->policy,
		.seed = config->seed,
		.fail_allocation = config->fail_allocation,
	};
	void *module;
	size_t size;
	int result;

	if (private_file_read(config->program, "guest program ", &session->program_file, error) < 0 ||
	    machine_create(&machine_config, &session->machine, error) < 0 ||
	    script_module(config->script, &record, &module, &size, error) < 0)
		return -1;
	result = machine_boot(session->machine, module, size, error);
	free(module);
	return result;
}

static int open_guest_file(struct session *session, struct error *error)
{
	uint64_t start = clock_monotonic_ns(), address, size;

	if (symbols_open_file(&session->program_file, &session->symbols, error) < 0 ||
	    claims_layout_open(session->symbols, &session->layout, error) < 0)
		return -1;
	if (session->config.debug_locks && !symbols_find(session->symbols, "lock_check_on", &address, &size))
		return error_set(
			error, ERROR_INPUT, 0, 0,
			"%s was compiled without checks of locks: leave --guest away, or --debug-locks",
			session->config.program);
	session->run.symbols = session->symbols;
	session->run.timing.verify_ns += clock_monotonic_ns() - start;
	return 0;
}

void session_fill_run(struct session *session)
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
	run->free_blocks = session->free_blocks.items;
	run->free_block_count = session->free_blocks.count;
	run->verdict = &session->verdict;
	run->history = session->history;
	machine_facts(session->machine, &run->facts);
	run->timing.kvm_ns = run->facts.open_ns;
}

/* In a signal handler. */
static void interrupt_machine(void *machine)
{
	machine_interrupt(machine);
}

int session_boot(const struct session_config *config, struct session **out, struct error *error)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	session->config = *config;
	session->program_file.fd = -1;
	session->pending = calloc(config->cpus, sizeof(*session->pending));
	if (!session->pending) {
		error_set(error, ERROR_HOST, 0, 0, "out of memory");
		goto failed;
	}
	expectations_begin(&session->verdict);
	if (boot(session, error) < 0)
		goto failed;
	if (config->interruptible)
		signals_defer(interrupt_machine, session->machine);
	if (open_guest_file(session, error) < 0 || session_open_history(session, error) < 0 ||
	    (config->control && acceptor_start(session, &session->acceptor, error) < 0))
		goto failed;
	*out = session;
	return 0;
failed:
	session_destroy(session);
	return -1;
}

void session_end_interruptible(struct session *session)
{
	if (session->config.interruptible)
		signals_no_longer_defer();
	session->config.interruptible = false;
}

int session_check_end(struct session *session, bool verify, struct error *error)
{
	if (session->reached_end) {
		if (verify && session_verify(session, error) < 0)
			return -1;
		if (!session->run.verifications && !verify)
			expectations_not_wanted(&session->verdict);
		session_collect_ranges(session);
	}
	if (expectations_check_end(session) < 0)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	session_fill_run(session);
	return session_close_history(session, error);
}

int session_run(const struct session_config *config, struct session **out, struct error *error)
{
	if (session_boot(config, out, error) < 0)
		return -1;
	if (run_to_end(*out, error) == 0 && session_check_end(*out, true, error) == 0)
		return 0;
	session_destroy(*out);
	*out = NULL;
	return -1;
}

void session_destroy(struct session *session)
{
	if (!session)
		return;
	if (session->config.interruptible)
		signals_defer(NULL, NULL);
	acceptor_stop(session->acceptor);
	verdict_destroy(&session->verdict);
	ranges_destroy(&session->ranges);
	claims_destroy(&session->claims);
	flush_log_destroy(&session->flushes);
	free(session->seen.items);
	free(session->requests.items);
	history_destroy(session->history);
	if (session->events)
		fclose(session->events);
	claims_layout_close(session->layout);
	symbols_close(session->symbols);
	private_file_close(&session->program_file);
	stage2_on_demand_close(&session->stage2);
	machine_destroy(session->machine);
	session_end_parallel(session);
	for (size_t i = 0; i < session->steps.count; i++)
		report_shown_destroy(&session->steps.items[i].shown);
	report_shown_destroy(&session->shown);
	free(session->pending);
	free(session->steps.items);
	free(session->free_blocks.items);
	free(session);
}

int session_program(const char *program, bool debug_locks, char *out, size_t size, struct error *error)
{
	if (!program)
		return data_path_find(debug_locks ? "guest/kvmap-guest-locks.elf" : "guest/kvmap-guest.elf",
				      out, size, error);
	if ((size_t)snprintf(out, size, "%s", program) >= size)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "the path of the guest's program is longer than %zu bytes", size - 1);
	return 0;
}
