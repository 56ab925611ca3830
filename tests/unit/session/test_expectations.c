/* SPDX-License-Identifier: MIT */
/* Findings of the run itself: failed operations, faults, and the ways in which a guest dies. */
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(expectations, .init = world_start, .fini = world_end);

static void check(const struct report_step *step)
{
	cr_assert_eq(expectations_check_step(&session, step), 0);
}

static void check_death(enum machine_event_type type)
{
	session.death.event.type = type;
	cr_assert_eq(expectations_check_death(&session), 0);
}

Test(expectations, each_death_has_a_text)
{
	static const struct {
		enum machine_event_type type;
		const char *text;
	} deaths[] = {
		{ MACHINE_EXIT, "the guest gave up without a message" },
		{ MACHINE_TRIPLE_FAULT, "a triple fault" },
		{ MACHINE_EMULATION_FAILURE, "an instruction that KVM could not emulate" },
		{ MACHINE_MMIO, "an access to a guest physical address without memory" },
		{ MACHINE_PORT, "an access to a port without a device" },
		{ MACHINE_HALT, "HLT with nothing to wake it" },
		{ MACHINE_TIMEOUT, "stopped by --timeout" },
		{ MACHINE_KVM, "an exit that kvmap does not handle" },
	};

	for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++) {
		check_death(deaths[i].type);
		expect_finding(i, "the script runs to its end", deaths[i].text, "before the first operation");
		cr_expect_eq(world_finding(i)->address, 0);
	}
	strcpy(session.death.last_words, "panic: no memory");
	check_death(MACHINE_EXIT);
	expect_finding(8, "the script runs to its end", "panic: no memory", "before the first operation");
	session.death.oops.type = KVMAP_RECORD_OOPS;
	check_death(MACHINE_EXIT);
	expect_finding(9, "the script runs to its end", "an unexpected fault in the kernel",
		       "before the first operation");
	cr_expect_eq(session.verdict.results[0].findings, 10);
	cr_expect_eq(session.verdict.finding_count, 10);
}

Test(expectations, a_death_names_its_address_its_cpu_and_the_operation)
{
	session.death.has_registers = true;
	session.death.registers.rip = 0x1111;
	session.death.event.address = 0x2222;
	session.death.event.cpu = 3;
	session.death.oops.value[0] = 0x3333;
	check_death(MACHINE_HALT);
	cr_expect_eq(world_finding(0)->address, 0x1111);
	session.config.cpus = 4;
	session.run.hello.type = KVMAP_RECORD_HELLO;
	check_death(MACHINE_MMIO);
	cr_expect_eq(world_finding(1)->address, 0x2222);
	expect_finding(1, "the script runs to its end",
		       "an access to a guest physical address without memory on CPU 3",
		       "t.kvs:1: operation 1");
	session.death.oops.type = KVMAP_RECORD_OOPS;
	session.steps.count = WORLD_OPERATIONS - 1;
	check_death(MACHINE_MMIO);
	cr_expect_eq(world_finding(2)->address, 0x3333);
	cr_expect_str_eq(world_finding(2)->where, "t.kvs:6: operation 6");
	session.steps.count = WORLD_OPERATIONS;
	check_death(MACHINE_MMIO);
	cr_expect_str_eq(world_finding(3)->where, "after the last operation");
	session.steps.count = 0;
}

Test(expectations, an_operation_that_failed_is_a_finding)
{
	struct report_step step = { .result = world_result(1) };
	char text[128];

	step.result.status = KVMAP_FAILED_CONTENT;
	step.result.value[1] = 0x1111;
	step.result.value[4] = 0x2222;
	step.result.value[5] = 0x3333;
	check(&step);
	expect_finding(0, "holds 0x0000000000002222", "0x0000000000003333", "t.kvs:2: operation 2");
	cr_expect_eq(world_finding(0)->address, 0x1111);
	step.result.status = KVMAP_FAILED_FAULT;
	check(&step);
	expect_finding(1, "the operation succeeds", status_text(KVMAP_FAILED_FAULT), "t.kvs:2: operation 2");
	cr_expect_eq(world_finding(1)->address, 0x1111);
	step.fault = (struct kvmap_record){ .type = KVMAP_RECORD_FAULT,
					    .detail = KVMAP_FAULT_GUARD,
					    .value = { 0x4444 } };
	check(&step);
	snprintf(text, sizeof(text), "%s: guard", status_text(KVMAP_FAILED_FAULT));
	expect_finding(2, "the operation succeeds", text, "t.kvs:2: operation 2");
	cr_expect_eq(world_finding(2)->address, 0x4444);
	cr_expect_eq(session.verdict.results[0].checked, 3);
}

Test(expectations, a_refusal_counts_unless_it_is_expected_or_excused)
{
	struct report_step step = { .result = world_result(0) };

	step.result.status = KVMAP_REFUSED_NO_MEMORY;
	check(&step);
	cr_expect_eq(session.refused, 1);
	step.result.detail = KVMAP_RESULT_EXCUSED;
	check(&step);
	cr_expect_eq(session.refused, 2, "no allocation was made to fail");
	session.config.fail_allocation = 1;
	check(&step);
	cr_expect_eq(session.refused, 2);
	step.result.detail = KVMAP_RESULT_MADE_TO_FAIL;
	check(&step);
	cr_expect_eq(session.refused, 3);
	world_operation(0)->expect = KVMAP_EXPECT_REFUSED;
	check(&step);
	cr_expect_eq(session.refused, 3);
	cr_expect_eq(session.verdict.finding_count, 0);
}

Test(expectations, a_verify_for_which_the_guest_did_not_stop_is_a_finding)
{
	struct report_step step = { .result = world_result(2) };

	world_operation(2)->opcode = KVMAP_OP_VERIFY;
	session.verified = true;
	check(&step);
	cr_expect_eq(session.verdict.finding_count, 0);
	session.verified = false;
	check(&step);
	expect_finding(0, "the host verified", "the guest did not stop for it", "t.kvs:3: operation 3");
}

Test(expectations, a_show_without_anything_shown_is_a_finding)
{
	static char text[] = "shown";
	struct report_step step = { .result = world_result(2), .shown.text = text };

	world_operation(2)->opcode = KVMAP_OP_SHOW;
	check(&step);
	cr_expect_eq(session.verdict.finding_count, 0);
	step.shown.text = NULL;
	check(&step);
	expect_finding(0, "the host showed", "the guest did not stop for it", "t.kvs:3: operation 3");
}

/* A step with `expect fault guard` at 0x5000, which is met. */
static struct report_step fault_step(void)
{
	struct kvmap_operation *operation = world_operation(0);

	operation->expect = KVMAP_EXPECT_FAULT;
	operation->fault_kind = KVMAP_FAULT_GUARD;
	operation->operand[0] = (struct kvmap_operand){ .base = KVMAP_BASE_NONE, .value = 0x5000 };
	return (struct report_step){
		.result = world_result(0),
		.fault = { .type = KVMAP_RECORD_FAULT, .detail = KVMAP_FAULT_GUARD, .value = { 0x5000 } },
		.fault_checked = true,
		.fault_walk = { .stop = WALK_MAPPED + 1 },
	};
}

static void expect_fault_error(struct report_step step, const char *found)
{
	size_t count = session.verdict.findings.count;

	check(&step);
	if (!found) {
		cr_expect_eq(session.verdict.findings.count, count);
		return;
	}
	expect_finding(count, "the expected fault (guard) was taken", found, "t.kvs:1: operation 1");
	cr_expect_eq(world_finding(count)->address, step.fault.value[0]);
}

Test(expectations, a_fault_counts_if_kind_walk_and_address_are_as_expected)
{
	struct report_step step = fault_step();

	expect_fault_error(step, NULL);
	step.fault.value[0] = 0x5007;
	expect_fault_error(step, NULL);
	step.fault.value[0] = 0x5008;
	expect_fault_error(step, "the guest reported a fault at another address");
	step.fault.value[0] = 0x4fff;
	expect_fault_error(step, "the guest reported a fault at another address");
	step = fault_step();
	step.fault.type = 0;
	expect_fault_error(step, "the guest reported no fault");
	step = fault_step();
	step.fault.detail = KVMAP_FAULT_READONLY;
	expect_fault_error(step, "the guest reported another kind");
	step = fault_step();
	step.fault_checked = false;
	expect_fault_error(step, "the guest did not stop at it for the walk of the host");
	/* A refusal is no fault that was missed. */
	step.result.status = KVMAP_REFUSED_NO_MEMORY;
	expect_fault_error(step, NULL);
}

Test(expectations, the_address_of_a_fault_may_be_the_programs_or_a_variables)
{
	struct report_step step = fault_step();
	struct kvmap_operation *operation = world_operation(0);

	operation->operand[0] = (struct kvmap_operand){ .base = KVMAP_BASE_TEXT, .value = 0x10 };
	expect_fault_error(step, "the guest reported a fault at another address");
	step.fault.value[0] = KVMAP_IMAGE_BASE + KVMAP_IMAGE_GPA + 0x10;
	expect_fault_error(step, NULL);
	operation->operand[0] =
		(struct kvmap_operand){ .base = KVMAP_BASE_VARIABLE, .variable = 2, .value = 0x10 };
	expect_fault_error(step, NULL);
	session.variables[2].known = true;
	session.variables[2].value = 0x7000;
	expect_fault_error(step, "the guest reported a fault at another address");
	step.fault.value[0] = 0x7010;
	expect_fault_error(step, NULL);
}

Test(expectations, a_fault_that_the_tables_contradict_is_a_finding)
{
	struct report_step step = fault_step();

	step.fault_walk.stop = WALK_MAPPED;
	step.fault_walk.rights = RIGHT_W;
	check(&step);
	cr_assert_eq(session.verdict.findings.count, 1);
	expect_finding(0, "a fault: guard", "the tables: mapped, rights -w-", "t.kvs:1: operation 1");
	cr_expect_eq(world_finding(0)->address, 0x5000);
	step.fault_checked = false;
	world_operation(0)->expect = KVMAP_EXPECT_DONE;
	check(&step);
	cr_expect_eq(session.verdict.findings.count, 1);
}

Test(expectations, a_variable_is_known_once_its_operation_is_done)
{
	struct report_step step = { .result = world_result(0) };

	world_operation(0)->result = 5;
	step.result.value[0] = 0x1111;
	check(&step);
	cr_expect(session.variables[5].known);
	cr_expect_eq(session.variables[5].value, 0x1111);
	step.result.status = KVMAP_REFUSED_NO_MEMORY;
	step.result.value[0] = 0;
	check(&step);
	cr_expect_not(session.variables[5].known);
}

Test(expectations, at_the_end_each_operation_has_a_record_and_each_record_is_valid)
{
	session.reached_end = true;
	session.steps.count = WORLD_OPERATIONS;
	cr_assert_eq(expectations_check_end(&session), 0);
	cr_expect_eq(session.verdict.finding_count, 0);
	session.steps.count = 5;
	session.run.dropped_records = 7;
	cr_assert_eq(expectations_check_end(&session), 0);
	expect_finding(0, "one valid record for each operation", "7 invalid records", "the channel");
	expect_finding(1, "all 6 operations are done", "5 reported", "the channel");
	session.reached_end = false;
	session.run.dropped_records = 0;
	cr_assert_eq(expectations_check_end(&session), 0);
	cr_expect_eq(session.verdict.finding_count, 2);
	session.steps.count = 0;
}

Test(expectations, findings_are_counted_beyond_those_that_are_listed)
{
	for (unsigned int i = 0; i < FINDINGS_LISTED + 3; i++)
		check_death(MACHINE_HALT);
	cr_expect_eq(session.verdict.findings.count, FINDINGS_LISTED);
	cr_expect_eq(session.verdict.finding_count, FINDINGS_LISTED + 3);
	cr_expect_eq(session.verdict.results[0].findings, FINDINGS_LISTED + 3);
}

Test(expectations, without_a_verification_no_invariant_is_seen)
{
	struct verdict verdict = { .results[3] = { .checked = 4 } };
	struct error error = { .address = 0x1111, .text = "no tables" };

	expectations_begin(&session.verdict);
	for (unsigned int i = 1; i <= INVARIANTS; i++) {
		cr_expect_eq(session.verdict.results[i].seen, NOT_SEEN);
		cr_expect_str_eq(session.verdict.results[i].why_not,
				 "the guest ended before it could be verified");
	}
	cr_assert_eq(expectations_unreadable(&session, &error), 0);
	expect_finding(0, "a guest that can be verified", "no tables", "after 0 operations");
	cr_expect_eq(world_finding(0)->address, 0x1111);
	cr_assert_eq(expectations_first_verdict(&session, &verdict), 0);
	for (unsigned int i = 1; i <= INVARIANTS; i++) {
		cr_expect_neq(session.verdict.results[i].seen, NOT_SEEN);
		cr_expect_eq(session.verdict.results[i].checked, i == 3 ? 4 : 0);
	}
	cr_expect_eq(session.verdict.finding_count, 1);
}
