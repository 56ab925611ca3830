/* SPDX-License-Identifier: MIT */
#include "sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct sample sample;

static void init(void)
{
	sample_init(&sample);
}

static void destroy(void)
{
	sample_destroy(&sample);
}

TestSuite(run_text, .init = init, .fini = destroy);
TestSuite(run_json, .init = init, .fini = destroy);

static char *shown(void)
{
	char *text = report_text_of(&sample, REPORT_TEXT, false);

	check_lines(text);
	return text;
}

Test(run_text, the_machine_is_described)
{
	char *text = shown();

	check_holds(text, "kvmap run dir/t.kvs\n");
	check_holds(text, "kvmap-guest.elf with 256 MiB of RAM and 1 CPU, flush policy strict");
	check_holds(text, "kvm_test, KVM API 12");
	check_holds(text, "1,234,567 TSC ticks");
	free(text);
	sample.run.facts.tsc_khz = 1000000;
	text = shown();
	check_holds(text, "1.23 ms to the first operation");
	free(text);
}

Test(run_text, each_line_of_the_script_is_shown_with_what_became_of_it)
{
	char *text = shown();

	check_holds(text, "      1  a = vmalloc 64K                 0xffffc90000000000, 64 KiB\n");
	check_holds(text, "      3  expect fault guard a+64K        guard at 0xffffc90000010000, 64 KiB "
			  "area; host agrees\n");
	check_holds(text, "      9  expect refused vfree b          refused as expected: double free\n");
	free(text);
}

Test(run_text, a_refusal_is_warned_of_with_the_area)
{
	char *text = shown();

	check_holds(
		text,
		"\nWarnings\n  dir/t.kvs:9: expect refused vfree b: double free, of 0xffffc90000001000, ");
	check_holds(text, "in an interrupt; in the 64 KiB");
	free(text);
	sample.steps[7].warning.type = 0;
	text = shown();
	cr_expect_null(strstr(text, "Warnings"));
	free(text);
}

Test(run_text, operations_of_one_line_are_folded)
{
	char *text = shown();

	check_holds(text, "      7  purge                           2 times; last: no ranges flushed\n");
	free(text);
}

Test(run_text, what_batching_saved_is_told)
{
	char *text = shown();

	check_holds(text, "1,234 allocated with 18 pages, 21 freed; 1 live now, 1 lazily freed");
	check_holds(text, "1 for 21 frees; they released 20 ranges and 2 frames\n");
	check_holds(text, "batching saved 20 compared with a flush at every free");
	check_holds(text, "1 as expected: 1 guard");
	check_holds(text, "it agreed at 1 of 1");
	free(text);
}

Test(run_text, the_picture_shows_where_the_frames_lie)
{
	char *text = shown();

	check_holds(text, "a = 0xffffc90000000000, 64 KiB: 16 frames in 16 runs\n");
	check_holds(text, "|11...11...1....1..1.1..1.1..1....1...11...1....1................|\n");
	check_holds(text, "0x1800 0x1825 0x184a 0x180a");
	check_holds(text, "guard 0xffffc90000010000: not mapped\n");
	check_holds_format(text, "0x%lx, 8 KiB, lazily freed (waiting for a TLB flush): 2 frames in 1 run\n",
			   SAMPLE_LAZY);
	check_holds(text, "0x1857+1\n");
	free(text);
}

Test(run_text, a_guard_that_is_mapped_is_shown_so)
{
	char *text;

	sample.range.size = 0x11000;
	text = shown();
	check_holds(text, "guard 0xffffc90000010000: MAPPED\n");
	free(text);
	/* The last page of the guard alone. */
	sample.range = (struct range){ .gva = SAMPLE_LAZY - 0x1000, .size = 0x1000, .page_size = 0x1000 };
	text = shown();
	check_holds(text, "guard 0xffffc90000010000: MAPPED\n");
	free(text);
	/* The pages before and after it. */
	sample.range.gva = SAMPLE_AREA + 0xf000;
	text = shown();
	check_holds(text, "guard 0xffffc90000010000: not mapped\n");
	free(text);
	sample.range.gva = SAMPLE_LAZY;
	text = shown();
	check_holds(text, "guard 0xffffc90000010000: not mapped\n");
	free(text);
}

/* The format with the sum of all checks, as text: "1,281". */
__attribute__((format_arg(1))) static const char *checks_line(const char *format)
{
	static char line[100];
	char count[20];
	unsigned int sum = 0;

	for (unsigned int i = 1; i <= INVARIANTS; i++)
		sum += i == 10 ? 0 : 100 + i;
	snprintf(count, sizeof(count), "%u,%03u", sum / 1000, sum % 1000);
	snprintf(line, sizeof(line), format, count);
	return line;
}

Test(run_text, the_verdict_has_a_line_for_each_invariant_and_a_sentence)
{
	char *text = shown();
	char line[20];

	for (int i = 1; i <= INVARIANTS; i++) {
		snprintf(line, sizeof(line), "\n  V%-3d %s", i, i == 10 ? "not seen" : "ok ");
		check_holds(text, line);
	}
	check_holds(text, "(no permission to read the second stage)");
	check_holds(text, checks_line("\nVERIFIED: %s checks in 2 verifications, no findings.\n"));
	free(text);
}

Test(run_text, a_finding_of_an_invariant_that_was_not_seen_whole_says_what_was_not_read)
{
	char *text;

	sample.verdict.results[10].checked = 7;
	sample.verdict.results[10].findings = sample.verdict.finding_count = 1;
	text = shown();
	check_holds(text, "  V10   1 WRONG          7  every page");
	check_holds(text, "(no permission to read the second stage)");
	free(text);
}

Test(run_json, an_invariant_with_a_finding_is_not_called_not_seen)
{
	char *text;

	sample.verdict.results[10].checked = 7;
	sample.verdict.results[10].findings = sample.verdict.finding_count = 1;
	text = report_text_of(&sample, REPORT_JSON, false);
	check_holds(text, "\"V10\":7,");
	check_holds(text, "\"not_seen\":[],\"partly_seen\":[\"V10\"]");
	free(text);
}

Test(run_text, findings_are_listed_and_cannot_hurt_the_terminal)
{
	char *text;

	sample_add_findings(&sample);
	text = shown();
	check_holds(text, "  V3    1 WRONG");
	check_holds(text, "1. V3 at 0xffffc90000010000, major\n");
	check_holds(text, "found    mapped \\x1b[2J\\x07 \"quoted\\\" \\x0a\n");
	check_holds(text, "where    \\xff\\xfe \\xe2\\x80\\xae evil \xc3\xa4\n");
	check_holds(text, "2. script at 0x0000000000000001, major\n");
	check_holds(text, checks_line("\nNOT VERIFIED: 2 findings; %s checks in 2 verifications.\n"));
	free(text);
}

Test(run_text, a_finding_ends_with_its_operation_and_the_commands_to_type)
{
	char *text;

	sample_add_findings(&sample);
	snprintf(sample.verdict.findings.items[0].after, sizeof(sample.verdict.findings.items[0].after),
		 "dir/t.kvs:2: fill a\n");
	text = shown();
	check_holds(text, "\n      after    dir/t.kvs:2: fill a\\x0a\n      next     kvmap explain V3\n");
	free(text);
	sample.verdict.source = "dir/t.kvs";
	text = shown();
	check_holds(text, "      next     kvmap explain V3; kvmap walk dir/t.kvs 0xffffc90000010000\n");
	free(text);
	sample.verdict.source = "dir/a b;c";
	text = shown();
	check_holds(text, "      next     kvmap explain V3\n");
	free(text);
	sample.verdict.source = "t.kvs";
	text = report_text_of(&sample, REPORT_JSON, false);
	check_holds(text, "\"severity\":\"major\"");
	check_holds(text,
		    "\"after\":\"dir/t.kvs:2: fill a\\\\x0a\",\"next\":\"kvmap explain V3; kvmap walk t.kvs "
		    "0xffffc90000010000\"");
	free(text);
}

Test(run_text, an_unexpected_refusal_is_named_by_file_and_line)
{
	char *text;

	sample.steps[4].result.status = KVMAP_REFUSED_INTERIOR;
	text = shown();
	check_holds(text,
		    "dir/t.kvs:5: vfree b: REFUSED: address is inside an allocation, not at its start\n");
	check_holds(text, "1 refusal that the script does not expect");
	free(text);
}

Test(run_text, wrong_contents_are_shown_with_both_values)
{
	char *text;

	sample.steps[1].result.status = KVMAP_FAILED_CONTENT;
	sample.steps[1].result.value[1] = SAMPLE_AREA + 8;
	sample.steps[1].result.value[4] = 0x11;
	sample.steps[1].result.value[5] = 0x22;
	text = shown();
	check_holds(
		text,
		"dir/t.kvs:2: fill a: FAILED: contents differ from what was written: at 0xffffc90000000008");
	check_holds(text, "0x0000000000000011 expected, 0x0000000000000022 found");
	free(text);
}

Test(run_text, an_unexpected_fault_names_the_area)
{
	char *text;

	sample.steps[3].result.status = KVMAP_FAILED_FAULT;
	sample.steps[3].fault = sample.steps[2].fault;
	text = shown();
	check_holds(
		text,
		"dir/t.kvs:4: b = vmalloc 8K: FAILED: unexpected page fault: guard at 0xffffc90000010000, 64 KiB\n");
	check_holds(text, "      the area of 64 KiB at 0xffffc90000000000\n");
	free(text);
}

Test(run_text, flushes_page_by_page_and_none_at_all_are_told)
{
	char *text;

	sample.claims.stats.flush_range = 3;
	sample.claims.stats.flush_pages = 12;
	text = shown();
	check_holds(text, "4 for 21 frees, 3 of them page by page (12 INVLPGs); they released 20 ranges");
	free(text);
	sample.claims.stats.flush_full = sample.claims.stats.flush_range = 0;
	text = shown();
	check_holds(text, "flushes     none yet, for 21 frees\n");
	free(text);
}

Test(run_text, a_walk_that_disagrees_stands_out)
{
	char *text;

	sample.steps[2].fault_walk.stop = WALK_MAPPED;
	text = shown();
	check_holds(text, "DISAGREES");
	check_holds(text, "it agreed at 0 of 1");
	free(text);
}

Test(run_text, a_guest_that_died_early_leaves_a_report_all_the_same)
{
	char *text;

	sample.run.claims = NULL;
	sample.run.ranges = NULL;
	sample.run.verdict = NULL;
	sample.run.step_count = 0;
	sample.run.hello.type = 0;
	sample.run.dropped_records = 3;
	text = shown();
	check_holds(text, "never reached its first operation");
	check_holds(text, "Of 8 operations, 0 ended.");
	check_holds(text, "Nothing could be verified.");
	check_holds(text, "sent 3 invalid records");
	free(text);
}

Test(run_text, an_operation_that_the_script_does_not_have_is_not_believed)
{
	char *text;

	sample.steps[3].result.operation = 77;
	text = shown();
	check_holds(text, "dir/t.kvs: the guest reports operation 77, which the script does not have\n");
	free(text);
}

Test(run_text, colour_comes_only_when_asked_for_and_ends_on_every_line)
{
	char *plain = report_text_of(&sample, REPORT_TEXT, false);
	char *painted = report_text_of(&sample, REPORT_TEXT, true);

	cr_expect_null(strchr(plain, '\033'));
	check_holds(painted, "\033[32mVERIFIED");
	for (const char *line = painted; *line;) {
		size_t length = strcspn(line, "\n");
		const char *start = memchr(line, '\033', length);

		cr_expect(!start || !memcmp(line + length - 4, "\033[0m", 4), "%.*s", (int)length, line);
		line += length + 1;
	}
	free(plain);
	free(painted);
}

Test(run_json, the_last_line_is_the_verdict)
{
	char *text = report_text_of(&sample, REPORT_JSON, false), line[600];
	struct json_object *lines = lines_of(text);
	size_t count = json_object_array_length(lines);
	int length = snprintf(line, sizeof(line),
			      "\"type\":\"verdict\",\"seq\":%zu,\"ok\":true,\"findings\":0,\"checked\":{",
			      count - 1);

	for (unsigned int i = 1; i <= INVARIANTS; i++)
		if (i != 10)
			length += snprintf(line + length, sizeof(line) - (size_t)length, "%s\"V%u\":%u",
					   i > 1 ? "," : "", i, 100 + i);
	snprintf(line + length, sizeof(line) - (size_t)length, "},\"not_seen\":[\"V10\"]}\n");
	check_holds(text, line);
	cr_expect_str_eq(member(json_object_array_get_idx(lines, count - 1), "type"), "verdict");
	json_object_put(lines);
	free(text);
}

Test(run_json, there_is_a_line_for_everything)
{
	char *text = report_text_of(&sample, REPORT_JSON, false);
	struct json_object *lines = lines_of(text), *line;

	cr_expect_str_eq(member(line_of_type(lines, "machine", 0), "policy"), "strict");
	line = line_of_type(lines, "operation", 0);
	cr_expect_str_eq(member(line, "text"), "a = vmalloc 64K");
	cr_expect_str_eq(member(line, "line"), "1");
	cr_expect_str_eq(member(line, "result"), "0xffffc90000000000");
	cr_expect_str_eq(member(line, "status"), "done");
	line = line_of_type(lines, "operation", 7);
	cr_expect_str_eq(member(line, "status"), "refused");
	cr_expect_str_eq(member(line, "as_expected"), "true");
	cr_expect_null(line_of_type(lines, "operation", 8));
	line = line_of_type(lines, "fault", 0);
	cr_expect_str_eq(member(line, "kind"), "guard");
	cr_expect_str_eq(member(line, "address"), "0xffffc90000010000");
	cr_expect_str_eq(member(line, "walk_agrees"), "true");
	line = line_of_type(lines, "warning", 0);
	cr_expect_str_eq(member(line, "line"), "9");
	cr_expect_str_eq(member(line, "why"), "double free");
	cr_expect_str_eq(member(line, "in_interrupt"), "true");
	cr_expect_str_eq(member(line, "caller"), "0x1234");
	cr_expect_str_eq(member(line, "address"), "0xffffc90000001000");
	cr_expect_str_eq(member(line, "area"), "0xffffc90000000000");
	cr_expect_str_eq(member(line, "area_size"), "65536");
	cr_expect_null(line_of_type(lines, "warning", 1));
	line = line_of_type(lines, "flush", 0);
	cr_expect_str_eq(member(line, "end"), "0xffffffffffffffff");
	cr_expect_str_eq(member(line_of_type(lines, "totals", 0), "frees"), "21");
	line = line_of_type(lines, "area", 1);
	cr_expect_str_eq(member(line, "state"), "lazy");
	cr_expect_str_eq(member(line, "frames"), "[ { \"gpa\": \"0x1857000\", \"pages\": 2 } ]");
	cr_expect_str_eq(member(line_of_type(lines, "time", 0), "total_ns"), "40000000");
	cr_expect_null(line_of_type(lines, "finding", 0));
	cr_expect_null(line_of_type(lines, "death", 0));
	json_object_put(lines);
	free(text);
}

Test(run_json, findings_are_valid_utf8_whatever_the_guest_wrote)
{
	struct json_object *lines, *line;
	char *text;

	sample_add_findings(&sample);
	text = report_text_of(&sample, REPORT_JSON, false);
	lines = lines_of(text);
	line = line_of_type(lines, "finding", 0);
	cr_expect_str_eq(member(line, "invariant"), "V3");
	cr_expect_str_eq(member(line, "address"), "0xffffc90000010000");
	cr_expect_str_eq(member(line, "found"), "mapped \\x1b[2J\\x07 \"quoted\\\" \\x0a");
	cr_expect_str_eq(member(line, "where"), "\\xff\\xfe \\xe2\\x80\\xae evil \xc3\xa4");
	cr_expect_str_eq(member(line_of_type(lines, "finding", 1), "invariant"), "script");
	check_holds(text, "\"type\":\"verdict\",\"seq\":");
	check_holds(text, "\"ok\":false,\"findings\":2,");
	json_object_put(lines);
	free(text);
}

Test(run_text, further_claims_follow_their_finding)
{
	char *text;

	sample_add_findings(&sample);
	sample_add_further(&sample);
	text = shown();
	check_holds(text, "      also     claimed not \\x1b[31m this; found that; there\n");
	check_holds(text, "      also     0x0000000000001000 to 0x0000000000002fff, with gaps, 2 pages, the "
			  "first: claimed a\n"
			  "               flush; found none; frame 0x1\n"
			  "      also     5 more claims\n"
			  "      next     kvmap explain V3\n"
			  "  2. script at");
	check_holds(text, "\nNOT VERIFIED: 2 findings; ");
	free(text);
}

Test(run_json, further_claims_are_an_array_of_their_finding)
{
	struct json_object *lines, *also;
	char *text;

	sample_add_findings(&sample);
	sample_add_further(&sample);
	text = report_text_of(&sample, REPORT_JSON, false);
	lines = lines_of(text);
	also = json_object_object_get(line_of_type(lines, "finding", 0), "also");
	cr_assert_eq(json_object_array_length(also), 2);
	cr_expect_str_eq(member(json_object_array_get_idx(also, 0), "claimed"), "not \\x1b[31m this");
	cr_expect_str_eq(member(json_object_array_get_idx(also, 1), "pages"), "2");
	cr_expect_str_eq(member(json_object_array_get_idx(also, 1), "range_end"), "0x3000");
	cr_expect_str_eq(member(line_of_type(lines, "finding", 0), "also_unlisted"), "5");
	cr_expect_null(json_object_object_get(line_of_type(lines, "finding", 1), "also"));
	check_holds(text, "\"ok\":false,\"findings\":2,");
	json_object_put(lines);
	free(text);
}

Test(run_json, without_a_verdict_nothing_was_seen)
{
	struct json_object *lines;
	char *text;

	sample.run.claims = NULL;
	sample.run.verdict = NULL;
	text = report_text_of(&sample, REPORT_JSON, false);
	lines = lines_of(text);
	check_holds(text, "\"ok\":false,\"findings\":0,\"checked\":{},\"not_seen\":[\"V1\",");
	json_object_put(lines);
	free(text);
}
