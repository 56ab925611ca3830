/* SPDX-License-Identifier: MIT */
/*
 * A whole session, on a machine of calls.c: what is called in which order, with which arguments, and what is left of it.
 */
#include "calls.h"
#include "errors.h"
#include "no_memory.h"
#include "tables.h"
#include "world.h"

#include "base/x86.h"

#include <criterion/criterion.h>
#include <string.h>

static struct tables tables;
static struct session *run;
static struct error error;

static void start(void)
{
	world_start();
	tables_init(&tables, 4);
	tables.view.cpu_count = 1;
	tables.view.cpus[0] = (struct view_cpu){
		.cr0 = CR0_PG | CR0_PE, .cr3 = tables.mode.root, .cr4 = CR4_PAE, .efer = EFER_LMA
	};
	world_view = &tables.view;
	session.config = (struct session_config){ .kvm_path = "the/device",
						  .program = "the/program",
						  .script = session.config.script,
						  .memory = 64 << 20,
						  .cpus = 3,
						  .nodes = 2,
						  .policy = 1,
						  .seed = 11,
						  .fail_allocation = 12,
						  .timeout_ns = 1000 };
	/* The records of a script that was run. */
	for (uint32_t i = 0; i < WORLD_OPERATIONS; i++) {
		struct kvmap_record record = world_result(i);

		world_record(&record);
	}
	run = NULL;
}

static void end(void)
{
	session_destroy(run);
	cr_expect_str_eq(calls_open, "", "'%s' is left open", calls_open);
	world_end();
	tables_destroy(&tables);
}

TestSuite(run, .init = start, .fini = end);

static void run_it(const char *log)
{
	cr_assert_eq(session_run(&session.config, &run, &error), 0, "%s", error.text);
	cr_expect_str_eq(calls.log, log);
}

static void event(enum machine_event_type type, uint64_t value)
{
	calls.events[calls.event_count++] = (struct machine_event){ .type = type, .value = value };
}

#define BOOT                                                                                                 \
	"private_file_read machine_create script_module machine_boot symbols_open_file claims_layout_open "
#define VERIFY "claims verify "

Test(run, boots_runs_and_verifies)
{
	const struct report_run *report;

	run_it(BOOT "run " VERIFY "ranges ");
	cr_expect_str_eq(calls.machine.kvm_path, "the/device");
	cr_expect_eq(calls.machine.program, &run->program_file);
	cr_expect_eq(calls.machine_file, CALLS_FILE);
	cr_expect(calls.machine.memory == 64 << 20 && calls.machine.cpus == 3 && calls.machine.nodes == 2 &&
		  calls.machine.interrupts && !calls.machine.holdable);
	cr_expect(calls.boot.flags == 0 && calls.boot.policy == 1 && calls.boot.seed == 11 &&
		  calls.boot.fail_allocation == 12);
	cr_expect_eq(calls.verify.view, world_view);
	cr_expect_eq(calls.verify.mode, &run->mode);
	cr_expect_eq(calls.verify.claims, &run->claims);
	cr_expect_eq(calls.verify.symbols, run->symbols);
	cr_expect(run->symbols && run->reached_end && run->has_mode && run->verified);
	report = &run->run;
	cr_expect_str_eq(report->program, "the/program");
	cr_expect_eq(report->script, session.config.script);
	cr_expect(report->memory == 64 << 20 && report->cpus == 3 && report->nodes == 2 &&
		  report->policy == 1 && report->fail_allocation == 12);
	cr_expect(report->facts.exits == 123 && report->timing.kvm_ns == 456);
	cr_expect_eq(report->steps, run->steps.items);
	cr_expect_eq(report->step_count, WORLD_OPERATIONS);
	cr_expect_eq(report->claims, &run->claims);
	cr_expect_eq(report->ranges, &run->ranges);
	cr_expect_eq(report->verdict, &run->verdict);
	cr_expect_eq(report->symbols, run->symbols);
	cr_expect_eq(report->verifications, 1);
	cr_expect_null(report->death);
	cr_expect_eq(run->ranges.leaves, 99);
	cr_expect_eq(run->verdict.finding_count, 0);
}

/* The clock goes on by CLOCK_STEP at each call: two for the file, one for the deadline, two each for a run and a verification. */
Test(run, measures_the_guest_and_the_verification)
{
	event(MACHINE_DOORBELL, KVMAP_DOORBELL_VERIFY);
	run_it(BOOT "run " VERIFY "run " VERIFY "ranges ");
	cr_expect_eq(calls.deadline_ns, 3 * CLOCK_STEP + 1000);
	cr_expect_eq(run->run.timing.guest_ns, 2 * CLOCK_STEP);
	cr_expect_eq(run->run.timing.verify_ns, 3 * CLOCK_STEP);
}

Test(run, passes_serial_port_debugging_and_the_script_s_names_on)
{
	char a[] = "a", b[] = "b", *names[] = { a, b };
	struct script *script = (struct script *)session.config.script;

	session.config.serial = true;
	script->variables.items = names;
	script->variables.count = 2;
	run_it(BOOT "run " VERIFY "ranges ");
	cr_expect_eq(calls.boot.flags, KVMAP_BOOT_SERIAL);
	cr_expect_eq(calls.verify.variable_names, (const char *const *)names);
	cr_expect_eq(calls.verify.variable_name_count, 2);
	session_destroy(run);
	world_end();
	world_start();
	world_view = &tables.view;
	session.config.program = "the/program";
	session.config.debug_slab = true;
	cr_assert_eq(session_run(&session.config, &run, &error), 0, "%s", error.text);
	cr_expect_eq(calls.boot.flags, KVMAP_BOOT_DEBUG_SLAB);
}

Test(run, answers_each_doorbell)
{
	event(MACHINE_DOORBELL, KVMAP_DOORBELL_DRAIN);
	event(MACHINE_DOORBELL, KVMAP_DOORBELL_FAULT);
	event(MACHINE_DOORBELL, KVMAP_DOORBELL_FLUSHES);
	event(MACHINE_DOORBELL, KVMAP_DOORBELL_VERIFY);
	calls.exit_value = KVMAP_EXIT_REFUSED;
	run_it(BOOT "run run run flushes run " VERIFY "run " VERIFY "ranges ");
	cr_expect_eq(run->flushes.count, 1);
	cr_expect_eq(run->run.verifications, 2);
	cr_expect(run->reached_end);
}

Test(run, of_a_guest_that_oopsed_ends_with_its_death)
{
	calls.exit_value = KVMAP_EXIT_OOPS;
	run_it(BOOT "run " VERIFY "ranges unwinder_open unwind ");
	cr_expect_not(run->reached_end);
	cr_expect_eq(run->run.death, &run->death);
	cr_expect_eq(run->death.backtrace.count, 3);
	cr_expect_eq(run->verdict.finding_count, 1);
	cr_expect_eq(run->run.ranges, &run->ranges);
}

Test(run, of_a_guest_that_timed_out_is_no_end_whatever_the_value)
{
	event(MACHINE_TIMEOUT, KVMAP_EXIT_OK);
	run_it(BOOT "run " VERIFY "ranges unwinder_open unwind ");
	cr_expect(calls.verify.died);
	cr_expect_not(run->reached_end);
}

Test(run, that_a_signal_interrupted_has_no_finding)
{
	event(MACHINE_INTERRUPTED, 0);
	run_it(BOOT "run claims ranges unwinder_open unwind ");
	cr_expect_not(run->reached_end);
	cr_expect_str_eq(run->run.interrupted, "a signal", "none came");
	cr_expect_str_eq(run->run.interrupted_at, "before the first operation");
	cr_expect_eq(run->run.death, &run->death);
	cr_expect_eq(run->verdict.finding_count, 0);
}

/* ---- deaths ---- */

/* The record of an oops and the three of its registers, which are 1 to 16. */
static void oops(uint64_t rip)
{
	struct kvmap_record record = { .type = KVMAP_RECORD_OOPS, .value = { 0x4444, 0, 0, rip } };

	world_record(&record);
	for (uint32_t i = 0; i < 3; i++) {
		record = (struct kvmap_record){ .type = KVMAP_RECORD_REGISTERS, .detail = i };
		for (uint64_t j = 0; j < 6; j++)
			record.value[j] = 6 * i + j + 1;
		world_record(&record);
	}
}

static void die(void)
{
	calls.exit_value = KVMAP_EXIT_OOPS;
	cr_assert_eq(session_run(&session.config, &run, &error), 0, "%s", error.text);
	cr_assert_eq(run->verdict.finding_count, 1);
}

Test(run, of_a_guest_that_oopsed_has_the_code_and_the_registers_of_the_oops)
{
	/* RIP is 5 bytes before the end of what is mapped. */
	tables_map(&tables, VMALLOC, 0x5000, 1, 0);
	memcpy(tables.low + 0x6000 - 5, "\x90\x91\x92\x93\x94", 5);
	tables.view.cpus[0].rip = VMALLOC + 0x10;
	oops(VMALLOC + 0x1000 - 5);
	die();
	cr_expect_eq(run->death.code_size, 5);
	cr_expect(!memcmp(run->death.code, "\x90\x91\x92\x93\x94", 5));
	cr_expect_eq(calls.unwound.rip, VMALLOC + 0x1000 - 5);
	cr_expect(calls.unwound.rax == 1 && calls.unwound.rbx == 2 && calls.unwound.rcx == 3 &&
		  calls.unwound.rdx == 4 && calls.unwound.rsp == 8 && calls.unwound.r8 == 9 &&
		  calls.unwound.r15 == 16);
	cr_expect_eq(calls.unwound.cr3, 0);
	cr_expect_eq(run->verdict.findings.items[0].address, 0x4444);
}

Test(run, of_a_guest_that_died_otherwise_has_the_code_and_the_registers_of_its_cpu)
{
	struct view_cpu *cpu = &tables.view.cpus[0];

	tables_map(&tables, VMALLOC, 0x5000, 1, 0);
	memcpy(tables.low + 0x5010, "0123456789abcdefg", 17);
	cpu->rip = VMALLOC + 0x10;
	cpu->rbx = 0x77;
	die();
	cr_expect_eq(run->death.code_size, sizeof(run->death.code));
	cr_expect(!memcmp(run->death.code, "0123456789abcdef", 16));
	cr_expect(run->death.has_registers);
	cr_expect(!memcmp(&run->death.registers, cpu, sizeof(*cpu)));
	cr_expect(!memcmp(&calls.unwound, cpu, sizeof(*cpu)));
	cr_expect_eq(run->verdict.findings.items[0].address, VMALLOC + 0x10);
}

Test(run, of_a_guest_that_died_without_registers_or_unwinder_has_no_backtrace)
{
	calls.failing = "unwinder_open";
	die();
	cr_expect_str_eq(calls.log, BOOT "run " VERIFY "ranges unwinder_open ");
	cr_expect_eq(run->death.backtrace.count, 0);
	cr_expect_eq(run->death.code_size, 0, "RIP is not mapped");
	session_destroy(run);
	/* The CPU that died has no registers, the other one has a paging mode. */
	tables.view.cpus[1] = tables.view.cpus[0];
	tables.view.cpus[0] = (struct view_cpu){ 0 };
	tables.view.cpu_count = 2;
	calls.log[0] = '\0';
	die();
	cr_expect_str_eq(calls.log, BOOT "run " VERIFY "ranges ");
	cr_expect_not(run->death.has_registers);
}

Test(run, of_a_guest_that_died_without_claims_has_no_ranges)
{
	calls.failing = "claims";
	calls.failing_kind = ERROR_HOST;
	die();
	cr_expect_str_eq(calls.log, BOOT "run claims unwinder_open unwind ");
	cr_expect_null(run->run.ranges);
}

/* ---- failures ---- */

static void fails_at(const char *name, enum error_kind kind)
{
	calls.failing = name;
	calls.failing_kind = kind;
	cr_expect_eq(session_run(&session.config, &run, &error), -1, "%s", name);
	cr_expect_null(run);
	expect_whole_error(&error, kind, 0, 0x77, name);
	cr_expect_str_eq(calls_open, "", "'%s' is left open after %s", calls_open, name);
}

Test(run, that_cannot_start_is_an_error_and_leaves_nothing_open)
{
	static const char *const names[] = { "private_file_read",
					     "machine_create",
					     "script_module",
					     "machine_boot",
					     "symbols_open_file",
					     "claims_layout_open",
					     "run" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		fails_at(names[i], ERROR_PERMISSION);
	session.config.control = "a/path";
	fails_at("control_vm_open", ERROR_HOST);
	fails_at("control_server_start", ERROR_INPUT);
}

Test(run, without_a_verification_is_an_error_unless_the_guest_is_to_blame)
{
	fails_at("claims", ERROR_HOST);
	fails_at("verify", ERROR_HOST);
	event(MACHINE_DOORBELL, KVMAP_DOORBELL_VERIFY);
	fails_at("verify", ERROR_HOST);
	calls.next_event = 0;
	calls.events[0].value = KVMAP_DOORBELL_FLUSHES;
	fails_at("flushes", ERROR_HOST);
}

Test(run, with_claims_that_cannot_be_read_has_a_finding)
{
	calls.failing = "claims";
	calls.failing_kind = ERROR_GUEST;
	run_it(BOOT "run claims ranges ");
	cr_expect_eq(calls.break_count, 0);
	cr_assert_eq(run->verdict.findings.count, 1);
	cr_expect_str_eq(run->verdict.findings.items[0].claimed, "a guest that can be verified");
	cr_expect_str_eq(run->verdict.findings.items[0].found, "claims");
	cr_expect_eq(run->verdict.findings.items[0].address, 0x77);
	cr_expect_eq(run->findings, 1);
	cr_expect_null(run->run.claims);
	cr_expect_eq(run->run.ranges, &run->ranges);
	cr_expect_eq(run->verdict.results[1].seen, NOT_SEEN);
}

/* The n-th allocation fails: each is an error, and none is a leak. */
Test(run, without_memory_is_an_error)
{
	unsigned int failures = 0;

	for (unsigned int n = 1;; n++) {
		world_end();
		tables_destroy(&tables);
		start();
		cr_assert_eq(array_push(&calls.verdict.findings, (struct finding){ .invariant = 1 }), 0);
		no_memory_at(n);
		if (session_run(&session.config, &run, &error) == 0)
			break;
		cr_expect(no_memory_failed());
		cr_expect_null(run);
		cr_expect_eq(error.kind, ERROR_HOST, "allocation %u: %s", n, error.text);
		cr_expect_str_eq(calls_open, "");
		failures++;
	}
	no_memory_at(0);
	cr_expect_gt(failures, 2);
}

/* ---- verdicts ---- */

static void add_verdict(unsigned int invariant, uint64_t address)
{
	struct finding finding = { .invariant = invariant, .address = address };

	cr_assert_eq(array_push(&calls.verdict.findings, finding), 0);
	calls.verdict.results[invariant].findings++;
	calls.verdict.results[invariant].checked = 7;
	calls.verdict.finding_count++;
}

Test(run, adds_the_verdicts_of_its_verifications)
{
	event(MACHINE_DOORBELL, KVMAP_DOORBELL_VERIFY);
	add_verdict(2, 0x1000);
	run_it(BOOT "run " VERIFY "run " VERIFY "ranges ");
	cr_expect_eq(run->verdict.finding_count, 1, "the same finding twice");
	cr_expect_eq(run->verdict.results[2].checked, 14);
	cr_expect_eq(run->verdict.results[1].seen, SEEN);
	cr_expect_str_eq(run->verdict.results[1].why_not, "");
	cr_expect_eq(run->findings, 1);
	cr_expect_eq(run->run.verifications, 2);
}

Test(run, reads_the_second_stage_if_it_is_wanted)
{
	session.config.stage2 = true;
	run_it(BOOT "run claims stage2 verify ranges ");
	cr_expect_eq(calls.verify.stage2, &run->stage2.stage2);
}

Test(run, verifies_without_a_second_stage_that_cannot_be_read)
{
	session.config.stage2 = true;
	calls.failing = "stage2";
	run_it(BOOT "run claims stage2 verify ranges ");
	cr_expect_null(calls.verify.stage2);
	cr_expect_not_null(calls.verify.no_stage2);
}

Test(run, without_the_option_a_build_that_can_read_the_second_stage_gives_no_reason)
{
	run_it(BOOT "run claims verify ranges ");
	cr_expect_str_eq(calls.no_stage2, "");
}

Test(run, a_build_that_cannot_read_the_second_stage_says_so_without_the_option)
{
	calls.no_reader = true;
	run_it(BOOT "run claims verify ranges ");
	cr_expect_str_eq(calls.no_stage2, "no reader in this build");
}

/* ---- the stopped guest ---- */

Test(run, takes_the_paging_mode_of_the_first_cpu_that_has_one)
{
	tables.view.cpus[2] = tables.view.cpus[0];
	tables.view.cpus[0] = (struct view_cpu){ 0 };
	tables.view.cpu_count = 3;
	run_it(BOOT "run " VERIFY "ranges ");
	cr_expect_eq(run->mode.root, tables.mode.root);
	cr_expect(run->has_mode);
}

Test(run, of_a_guest_without_paging_has_a_finding_and_reads_no_claims)
{
	event(MACHINE_DOORBELL, KVMAP_DOORBELL_FLUSHES);
	tables.view.cpus[0] = (struct view_cpu){ 0 };
	run_it(BOOT "run run ");
	cr_expect_not(run->has_mode);
	cr_expect_eq(run->verdict.finding_count, 1);
}

Test(run, of_a_machine_without_a_cpu_or_a_view_is_an_error)
{
	tables.view.cpu_count = 0;
	cr_expect_eq(session_run(&session.config, &run, &error), -1);
	expect_whole_error(&error, ERROR_INPUT, 0, 0, "there is no CPU 0: the guest has 0");
	world_view = NULL;
	cr_expect_eq(session_run(&session.config, &run, &error), -1);
	expect_whole_error(&error, ERROR_HOST, 0, 0, "no view");
	/* A run that goes on does not end there. */
	event(MACHINE_DOORBELL, KVMAP_DOORBELL_FLUSHES);
	event(MACHINE_TRIPLE_FAULT, 0);
	calls.log[0] = '\0';
	run_it(BOOT "run run ");
	cr_expect_eq(run->verdict.finding_count, 1);
}

Test(run, reads_the_claims_anew_for_each_verification)
{
	event(MACHINE_DOORBELL, KVMAP_DOORBELL_VERIFY);
	run_it(BOOT "run " VERIFY "run " VERIFY "ranges ");
	cr_expect_eq(run->claims.areas.count, 1);
	cr_expect_eq(calls.break_count, 1);
}

Test(run, has_no_ranges_if_they_cannot_be_collected)
{
	calls.failing = "ranges";
	calls.failing_kind = ERROR_HOST;
	run_it(BOOT "run " VERIFY "ranges ");
	cr_expect_null(run->run.ranges);
}

Test(run, walks_the_tables_at_the_address_of_a_fault)
{
	tables_map(&tables, VMALLOC, 0x5000, 1, PTE_W);
	session.pending[1].fault =
		(struct kvmap_record){ .type = KVMAP_RECORD_FAULT, .value = { VMALLOC + 8 } };
	session_check_fault(&session, 0);
	cr_expect_not(session.pending[0].fault_checked, "that CPU has no fault");
	session_check_fault(&session, 1);
	cr_expect(session.pending[1].fault_checked);
	cr_expect_eq(session.pending[1].fault_walk.gpa, 0x5008);
	session.pending[1].fault_checked = false;
	world_view = NULL;
	session_check_fault(&session, 1);
	cr_expect_not(session.pending[1].fault_checked);
}

/* ---- the program ---- */

Test(run, of_a_program_whose_path_is_too_long_is_refused)
{
	char out[12];

	cr_expect_eq(session_program("the/program", false, out, sizeof(out), &error), 0);
	cr_expect_str_eq(out, "the/program");
	cr_expect_eq(session_program("the/programs", true, out, sizeof(out), &error), -1);
	expect_whole_error(&error, ERROR_INPUT, 0, 0,
			   "the path of the guest's program is longer than 11 bytes");
}
