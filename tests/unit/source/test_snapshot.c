/* SPDX-License-Identifier: MIT */
/*
 * How a reader gets one moment of its sources: when they are paused and resumed, and what is read of them.
 */
#include "calls.h"
#include "errors.h"

#include <criterion/criterion.h>
#include <string.h>

static struct source source;
static struct error error;
static enum source_next answers[16]; /* of the reader: of the calls for one moment */
static unsigned int final_calls;

static void start(void)
{
	calls_start();
	calls.hello.pid = 4711;
	source = (struct source){ .vm.client = a_client, .no_program.text = "no program" };
}

static void end(void)
{
	claims_destroy(&source.own_claims);
	calls_end();
}

TestSuite(snapshot, .init = start, .fini = end);

static enum source_next read_it(struct source *sources, void *context)
{
	cr_expect_eq(context, &final_calls);
	cr_expect(sources->has_mode || sources->session || sources->process.view);
	if (!source_is_final(sources)) {
		note("read");
		return SOURCE_AGAIN;
	}
	note("read!");
	return answers[final_calls++];
}

static void snapshot_is(int result, const char *log)
{
	cr_expect_eq(source_snapshot(&source, 1, read_it, &final_calls, &error), result);
	cr_expect_str_eq(calls.log, log);
	cr_expect_not(source.vm.paused);
	cr_expect_null(source.snapshot);
}

#define ROUND "pause resume read "

Test(snapshot, of_a_vm_is_read_once_for_its_pages_and_once_for_its_contents)
{
	calls.times[0] = (struct control_pause_time){ .vm_ns = 1000, .client_ns = 2000 };
	calls.times[1] = (struct control_pause_time){ .vm_ns = 300, .client_ns = 5000 };
	snapshot_is(0, ROUND "pause resume read! ");
	cr_expect(source.vm.pause.count == 2 && source.vm.pause.all_ns == 1300 &&
		  source.vm.pause.longest_ns == 1000 && source.vm.pause.client_ns == 2000 &&
		  !source.vm.pause.ended);
	cr_expect_eq(source.view, &tables.view);
	cr_expect_eq(source.mode.root, tables.mode.root);
}

Test(snapshot, that_never_gets_all_pages_is_read_in_the_seventh_pause)
{
	calls.complete_from = ~0u;
	snapshot_is(0, ROUND ROUND ROUND ROUND ROUND ROUND "pause read! resume ");
	cr_expect_eq(source.vm.pause.count, 7);
}

Test(snapshot, that_is_to_be_read_again_begins_with_a_pause_a_little_later)
{
	for (unsigned int i = 0; i < 8; i++)
		answers[i] = SOURCE_AGAIN;
	snapshot_is(0, ROUND "pause resume read! sleep pause resume read! sleep pause resume read! sleep "
			     "pause resume read! sleep pause resume read! sleep pause resume read! sleep "
			     "pause resume read! sleep pause resume read! sleep pause resume read! ");
	cr_expect_eq(calls.slept_ns, 300000 + 150000, "the eighth time is as long as the first");
}

Test(snapshot, of_a_vm_that_ended_in_a_pause_says_so)
{
	calls.times[1] = (struct control_pause_time){ .client_ns = 9 };
	snapshot_is(0, ROUND "pause resume read! ");
	cr_expect(source.vm.pause.ended);
	cr_expect_eq(source.vm.pause.longest_ns, 100);
	cr_expect_eq(source.vm.pause.client_ns, 200);
}

Test(snapshot, fails_with_a_pause_or_its_end_and_lets_the_vm_run_on)
{
	calls.failing = "pause";
	snapshot_is(-1, "pause resume ");
	expect_whole_error(&error, ERROR_HOST, 0, 0x77, "pause");
	calls.log[0] = '\0';
	calls.failing = "resume";
	snapshot_is(-1, "pause resume ");
	expect_whole_error(&error, ERROR_HOST, 0, 0x77, "resume");
	calls.log[0] = '\0';
	calls.complete_from = ~0u;
	tables.view.cpu_count = 0;
	snapshot_is(-1, "pause resume ");
	expect_whole_error(&error, ERROR_INPUT, 0, 0, "there is no CPU 0: the guest has 0");
	cr_expect_not(source.has_mode);
}

static enum source_next break_the_resume(struct source *sources, void *context)
{
	(void)context;
	if (source_is_final(sources))
		calls.failing = "resume";
	return SOURCE_DONE;
}

Test(snapshot, whose_last_pause_does_not_end_is_an_error)
{
	calls.complete_from = ~0u;
	cr_expect_eq(source_snapshot(&source, 1, break_the_resume, NULL, &error), -1);
	expect_whole_error(&error, ERROR_HOST, 0, 0x77, "resume");
	cr_expect_eq(source.vm.pause.count, 6);
}

Test(snapshot, of_a_core_pauses_nothing)
{
	source.vm.client = NULL;
	source.view = source.core = &tables.view;
	snapshot_is(0, "read! ");
	cr_expect_eq(source.vm.pause.count, 0);
}

Test(snapshot, of_two_sources_pauses_both_and_is_of_one_moment_if_both_are)
{
	struct source two[2] = { { .vm.client = a_client }, { .core = &tables.view, .view = &tables.view } };

	cr_expect_eq(source_snapshot(two, 2, read_it, &final_calls, &error), 0);
	cr_expect_str_eq(calls.log, ROUND "pause resume read! ");
	cr_expect(two[0].has_mode && two[1].has_mode);
	calls.log[0] = '\0';
	calls.pauses = 0;
	calls.complete_from = 4;
	two[1] = (struct source){ .vm.client = a_client };
	cr_expect_eq(source_snapshot(two, 2, read_it, &final_calls, &error), 0);
	cr_expect_str_eq(calls.log, "pause resume pause resume read pause resume pause resume read! ");
	cr_expect_null(two[1].snapshot);
}

/* ---- the end of the pause or stop, before the last output ---- */

static int ended;
static struct error end_error;

static enum source_next end_it(struct source *sources, void *context)
{
	(void)context;
	note(source_is_final(sources) ? "read!" : "read");
	if (source_is_final(sources)) {
		ended = source_end_stop(sources, &end_error);
		note("after");
	}
	return SOURCE_DONE;
}

Test(snapshot, may_end_the_pause_before_the_reader_returns)
{
	calls.complete_from = ~0u;
	cr_expect_eq(source_snapshot(&source, 1, end_it, NULL, &error), 0);
	cr_expect_str_eq(calls.log + strlen(calls.log) - strlen(" pause read! resume after "),
			 " pause read! resume after ");
	cr_expect_eq(ended, 0);
	cr_expect_eq(source.vm.pause.count, 7);
	/* The reader has the error, and the snapshot ends well. */
	calls.failing = NULL;
	calls.pauses = 0;
	calls.complete_from = 2;
	calls.log[0] = '\0';
	cr_expect_eq(source_snapshot(&source, 1, end_it, NULL, &error), 0);
	cr_expect_str_eq(calls.log, ROUND "pause resume read! after ", "there is no pause to end");
	cr_expect_eq(ended, 0);
}

static void start_process(void)
{
	source.vm.client = NULL;
	source.view = source.process.view = &tables.view;
	source.process.stop = a_stop;
	source.process.summary.pid = 4711;
}

Test(snapshot, may_end_the_stop_before_the_reader_returns)
{
	start_process();
	cr_expect_eq(source_snapshot(&source, 1, end_it, NULL, &error), 0);
	cr_expect_str_eq(calls.log, "read! continue after ");
	cr_expect_eq(ended, 0);
	cr_expect_null(source.process.stop);
	cr_expect_eq(source.process.summary.stopped_ns, 555);
}

static const char expired[] =
	"process 4711 continued by itself after a stop of 30 s: what was read may be inconsistent";

Test(snapshot, of_a_process_whose_stop_was_too_short_is_an_error)
{
	calls.stop_end.expired = true;
	start_process();
	snapshot_is(-1, "read! continue ");
	expect_whole_error(&error, ERROR_HOST, 0, 0, expired);
	cr_expect_null(source.process.stop);
	start_process();
	cr_expect_eq(source_snapshot(&source, 1, end_it, NULL, &error), 0);
	cr_expect_eq(ended, -1);
	expect_whole_error(&end_error, ERROR_HOST, 0, 0, expired);
}

/* ---- the second stage ---- */

Test(snapshot, reads_the_second_stage_in_each_pause_but_the_first)
{
	source.stage2 = true;
	snapshot_is(0, ROUND "pause stage2 resume read! ");
	cr_expect_eq(source.stage2_paused, &source.stage2_reading.stage2);
	calls.log[0] = '\0';
	calls.pauses = 0;
	calls.failing = "stage2";
	snapshot_is(0, ROUND "pause stage2 resume read! ");
	cr_expect_null(source.stage2_paused);
	expect_whole_error(&source.no_stage2, ERROR_HOST, 0, 0x77, "stage2");
}

/* ---- claims ---- */

static void core_is_read(const char *log, bool has_symbols, bool has_claims, const char *no_claims)
{
	source.vm.client = NULL;
	source.view = source.core = &tables.view;
	calls.log[0] = '\0';
	snapshot_is(0, log);
	cr_expect_eq(source.symbols, has_symbols ? some_symbols : NULL);
	cr_expect_eq(source.claims, has_claims ? &source.own_claims : NULL);
	cr_expect_str_eq(source.no_claims.text, no_claims);
}

Test(snapshot, reads_as_much_of_the_claims_as_is_wanted)
{
	source.wanted = SOURCE_CLAIMS;
	core_is_read("read! ", false, false, "no program");
	source.own_symbols = some_symbols;
	core_is_read("build_id read! ", true, false, "no program");
	source.own_layout = a_layout;
	core_is_read("build_id claims read! ", true, true, "no program");
	source.wanted = SOURCE_AREAS;
	core_is_read("build_id areas read! ", true, true, "no program");
	calls.failing = "areas";
	core_is_read("build_id areas read! ", true, false, "areas");
	/* The layout has the addresses of the file. */
	calls.symbols_offset = -0x200000ull;
	core_is_read("build_id read! ", true, false,
		     "the guest's program runs at an offset of -0x200000 to the addresses of its file: its "
		     "claims cannot be read");
	source.wanted = SOURCE_NO_CLAIMS;
	core_is_read("build_id read! ", true, false, "no program");
	calls.failing = "build_id";
	core_is_read("build_id read! ", false, false, "build_id");
}

Test(snapshot, reads_the_claims_of_a_process_only_if_it_has_page_tables)
{
	source.vm.client = NULL;
	source.view = source.process.view = &tables.view;
	source.process.stop = a_stop;
	source.own_symbols = some_symbols;
	source.own_layout = a_layout;
	source.wanted = SOURCE_CLAIMS;
	tables.view.cpu_count = 0;
	snapshot_is(0, "read! continue ");
	cr_expect_eq(source.process.summary.stopped_ns, 555);
	cr_expect_null(source.process.stop);
	cr_expect(!source.has_mode && !source.symbols && !source.claims);
	tables.view.cpu_count = 1;
	calls.log[0] = '\0';
	snapshot_is(0, "build_id claims read! ");
}

Test(snapshot, of_a_script_reads_nothing)
{
	struct session session = { 0 };

	source.vm.client = NULL;
	source.session = &session;
	source.own_symbols = some_symbols;
	snapshot_is(0, "read! ");
}

/* ---- repeating ---- */

static bool may_repeat;

static enum source_next ask(struct source *sources, void *context)
{
	uint64_t *after_ns = context;

	calls.clock_ns += *after_ns;
	may_repeat = snapshot_may_repeat(sources);
	return SOURCE_DONE;
}

static bool may_repeat_after(uint64_t ns)
{
	calls.complete_from = 0;
	calls.clock_ns = 5000;
	/* The reader is called twice. */
	cr_assert_eq(source_snapshot(&source, 1, ask, &ns, &error), 0);
	return may_repeat;
}

Test(snapshot, may_be_repeated_for_two_seconds_of_a_vm_that_runs)
{
	cr_expect(may_repeat_after(0));
	cr_expect(may_repeat_after(999999999));
	cr_expect_not(may_repeat_after(1000000000));
	calls.hello.state = CONTROL_AT_END;
	cr_expect_not(may_repeat_after(0));
	calls.hello.state = CONTROL_PAUSED;
	cr_expect(may_repeat_after(0));
	source.vm.pause.ended = true;
	calls.times[0].vm_ns = calls.times[1].vm_ns = 0;
	for (unsigned int i = 0; i < 16; i++)
		calls.times[i].vm_ns = 0;
	cr_expect_not(may_repeat_after(0));
	source.vm.client = NULL;
	source.view = source.core = &tables.view;
	source.vm.pause.ended = false;
	cr_expect_not(may_repeat_after(0));
}
