/* SPDX-License-Identifier: MIT */
/* A session whose script grows: what the guest gets, and what it may answer. */
#include "calls.h"
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct calls_ring *const ring = &calls.ring;
static struct script *script;
static struct error error;

static void prepare(void)
{
	world_start();
	script = script_empty("shell");
	session.config.script = script;
	session.config.ring = true;
	session.config.seed = 5;
	session.state = SESSION_IDLE;
	session.run.hello.type = KVMAP_RECORD_HELLO;
	session.machine = calls_machine;
	ring->answers = true;
}

static void finish(void)
{
	cr_expect_eq(calls.runs, calls.event_count, "the guest runs only with operations");
	script_destroy(script);
	world_end();
}

TestSuite(ring, .init = prepare, .fini = finish);

static void typed(const char *text)
{
	cr_assert_eq(script_append(script, text, strlen(text), 4, NULL, 0, &error), 0, "%s", error.text);
}

static void idle(unsigned int times)
{
	while (times--)
		calls.events[calls.event_count++] =
			(struct machine_event){ .type = MACHINE_DOORBELL, .value = KVMAP_DOORBELL_IDLE };
}

Test(ring, of_a_session_has_what_the_script_gained)
{
	idle(2);
	typed("a = vmalloc 4K\n");
	cr_assert_eq(session_execute(&session, &error), 0);
	cr_expect_eq(ring->given_count, 1);
	typed("vfree a\npurge\n");
	cr_assert_eq(session_execute(&session, &error), 0);
	cr_expect_eq(ring->given_count, 3);
	cr_expect_eq(ring->given[1].opcode, KVMAP_OP_VFREE);
	cr_expect_eq(session.state, SESSION_IDLE);
	cr_expect_eq(session.steps.count, 3);
	cr_expect_eq(session.run.step_count, 3);
	cr_expect_eq(session.verdict.finding_count, 0);
	/* Nothing new: the guest does not run. */
	cr_assert_eq(session_execute(&session, &error), 0);
	cr_expect_eq(ring->pushes, 2);
}

Test(ring, of_a_session_is_filled_as_often_as_needed)
{
	idle(3);
	typed("repeat 2500\npurge\nend\n");
	cr_assert_eq(session_execute(&session, &error), 0);
	cr_expect_eq(ring->given_count, 2500);
	cr_expect_eq(ring->pushes, 3);
	cr_expect_eq(session.steps.count, 2500);
}

Test(ring, of_a_session_never_has_a_part_of_a_parallel)
{
	idle(2);
	typed("repeat 1000\npurge\nend\nparallel\nrepeat 500\non cpu 1 purge\nend\nend\n");
	cr_assert_eq(session_execute(&session, &error), 0);
	cr_expect_eq(ring->pushes, 2);
	cr_expect_eq(ring->given[1000].opcode, KVMAP_OP_PARALLEL);
	cr_expect_eq(session.steps.count, 1501);
}

Test(ring, of_a_session_takes_no_verification_between_lines_for_that_of_an_operation)
{
	idle(1);
	session.verified = true;
	typed("verify\n");
	cr_assert_eq(session_execute(&session, &error), 0);
	cr_expect_not(session.steps.items[0].verified);
	expect_finding(0, "the host verified", "the guest did not stop for it", "shell:1: verify");
}

Test(ring, of_a_session_refuses_a_parallel_that_does_not_fit)
{
	typed("purge\nparallel\nrepeat 1024\npurge\nend\nend\n");
	cr_expect_eq(session_check(&session, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect(strstr(error.text, "this parallel has 1024 operations"), "%s", error.text);
	cr_expect_eq(ring->pushes, 0);
	cr_expect_eq(session.state, SESSION_IDLE);
}

Test(ring, of_a_session_has_the_texts_of_its_operations_only)
{
	idle(2);
	typed("print \"first\"\n");
	cr_assert_eq(session_execute(&session, &error), 0);
	typed("purge\nprint \"second\"\nprint \"third\"\n");
	cr_assert_eq(session_execute(&session, &error), 0);
	cr_expect_str_eq(ring->strings + ring->given[2].operand[0].value, "second");
	cr_expect_str_eq(ring->strings + ring->given[3].operand[0].value, "third");
	cr_expect_eq(ring->given[2].operand[0].value, 0);
}

Test(ring, of_a_session_gives_a_fragment_the_seed_of_the_run)
{
	idle(1);
	typed("fragment 50%\n");
	cr_assert_eq(session_execute(&session, &error), 0);
	cr_expect_eq(ring->given[0].operand[2].value, 5);
}

Test(ring, that_the_guest_leaves_too_early_is_a_finding)
{
	static const struct {
		int waiting;
		uint32_t lost;
		const char *found;
	} cases[] = {
		{ -1, 0, "an end of the ring that cannot be" },
		{ 2, 0, "2 still in the ring" },
		{ 0, 1, "2 reported" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (i) {
			finish();
			prepare();
		}
		idle(1);
		ring->waiting = cases[i].waiting;
		ring->lost = cases[i].lost;
		typed("purge\npurge\npurge\n");
		cr_assert_eq(session_execute(&session, &error), 0);
		cr_expect_eq(session.state, SESSION_DEAD);
		expect_finding(0, "all 3 operations are done", cases[i].found, "the ring");
		/* It gets nothing more. */
		typed("purge\n");
		cr_assert_eq(session_execute(&session, &error), 0);
		cr_expect_eq(ring->pushes, 1);
	}
}

Test(ring, that_the_guest_leaves_by_its_end_is_a_finding)
{
	calls.events[calls.event_count++] =
		(struct machine_event){ .type = MACHINE_EXIT, .value = KVMAP_EXIT_OK };
	typed("purge\n");
	cr_assert_eq(session_execute(&session, &error), 0);
	cr_expect_eq(session.state, SESSION_DEAD);
	expect_finding(0, "the guest waits for operations", "it ended", "after the last operation");
}

Test(ring, of_a_guest_that_was_stopped_goes_on)
{
	struct kvmap_record result = world_result(0);

	ring->answers = false;
	calls.events[calls.event_count++] = (struct machine_event){ .type = MACHINE_INTERRUPTED };
	idle(1);
	typed("purge\n");
	cr_assert_eq(session_execute(&session, &error), 0);
	cr_expect_eq(session.state, SESSION_STOPPED);
	/* It has what it has: nothing is given while it is stopped. */
	typed("purge\n");
	cr_assert_eq(session_execute(&session, &error), 0);
	cr_expect_eq(ring->pushes, 1);
	world_record(&result);
	ring->answers = true;
	idle(1);
	cr_assert_eq(session_continue(&session, &error), 0);
	cr_expect_eq(session.state, SESSION_IDLE);
	cr_expect_eq(session.steps.count, 2);
	cr_expect_eq(session.verdict.finding_count, 0);
}
