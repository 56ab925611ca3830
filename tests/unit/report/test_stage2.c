/* SPDX-License-Identifier: MIT */
/*
 * test_stage2.c: what is said of a VM of another program, and of a second stage that is not seen.
 */
#include "sample.h"

#include "report/pause.h"
#include "report/stage2.h"

#include "paging/translated.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *process_of(enum report_format format, const struct report_process *process)
{
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);

	report_process(&report, process);
	report_end(&report);
	return text;
}

Test(stage2, a_vm_that_ran_on_is_said_to_have_done_so)
{
	const struct report_process process = { .pid = 77 };
	char *text = process_of(REPORT_TEXT, &process);

	check_lines(text);
	cr_expect(strstr(text, "PID 77 was not stopped"), "%s", text);
	cr_expect(strstr(text, "--stop"), "%s", text);
	cr_expect_null(strstr(text, "CR3"), "%s", text);
	free(text);
}

Test(stage2, what_is_doubtful_of_another_programs_vm_is_said)
{
	const struct report_process process = { 77, true, 1500000, 2, 1 };
	char *text = process_of(REPORT_TEXT, &process);

	check_lines(text);
	cr_expect(strstr(text, "stopped PID 77 for 1.50 ms"), "%s", text);
	cr_expect(strstr(text, "CR3 of 2 vCPUs may be stale"), "%s", text);
	cr_expect(strstr(text, "1 page could not be read"), "%s", text);
	free(text);
	text = process_of(REPORT_JSON, &process);
	cr_expect(strstr(text,
			 "\"type\":\"pause\",\"seq\":0,\"pid\":77,\"stopped\":true,\"paused_ns\":1500000,"
			 "\"old_cr3\":2,\"lost_pages\":1"),
		  "%s", text);
	free(text);
}

static char *not_seen_of(enum report_format format, const struct translated *translated)
{
	struct view view = { .regions = &(struct view_region){ .size = 1 << 20, .fd = -1 },
			     .region_count = 1 };
	struct stage2_stats stats = { .pages = { 0, 5, 6, 7 } };
	struct report_not_seen what = { 77, &stats, &view, false, translated };
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);

	report_stage2_not_seen(&report, &what);
	report_end(&report);
	return text;
}

Test(stage2, where_it_is_not_seen_what_kvm_tells_is_told)
{
	const struct translated agrees = { .asked = 9 };
	const struct translated differs = { .asked = 9,
					    .differing = 1,
					    .gva = 0x1000,
					    .walk_gpa = 0x5000,
					    .valid = true,
					    .kvm_gpa = 0x6000 };
	const struct translated denied = { .asked = 9, .differing = 1, .gva = 0x1000, .walk_gpa = 0x5000 };
	char *text = not_seen_of(REPORT_TEXT, &agrees);

	check_lines(text);
	cr_expect(strstr(text, "process 77: not seen"), "%s", text);
	cr_expect(strstr(text, "slot at GPA 0x0, 1 MiB\n"), "another process's HVA is not known: %s", text);
	cr_expect(strstr(text, "2M pages as counted by KVM: 6"), "%s", text);
	cr_expect(strstr(text, "agrees with the guest's tables at 9 addresses"), "%s", text);
	free(text);
	text = not_seen_of(REPORT_TEXT, &differs);
	check_lines(text);
	cr_expect(strstr(text, "at 1 of 9 addresses, first at 0x1000: GPA 0x6000"), "%s", text);
	free(text);
	text = not_seen_of(REPORT_TEXT, &denied);
	cr_expect(strstr(text, "first at 0x1000: nothing"), "%s", text);
	free(text);
	text = not_seen_of(REPORT_JSON, &differs);
	cr_expect(strstr(text, "\"seen\":false,\"pages_4k\":5,\"pages_2m\":6,\"pages_1g\":7,\"translated\":9,"
			       "\"translated_differing\":1"),
		  "%s", text);
	free(text);
}

static char *stage2_of(enum report_format format, const struct stage2 *stage2)
{
	const struct report_stage2 what = { .pid = 77, .stage2 = stage2, .no_effective = "no tables" };
	struct stage2_verdict verdict;
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);

	report_stage2(&report, &what, &verdict);
	report_end(&report);
	return text;
}

Test(stage2, where_no_leaf_was_compared_it_is_neither_seen_nor_right)
{
	struct stage2_leaf leaf = { .entry = 0x867, .level = 1, .nested = true };
	struct stage2 stage2 = { .format = { STAGE2_NPT, 48, 0 } };
	char *text = stage2_of(REPORT_JSON, &stage2);

	check_holds(text, "\"seen\":false");
	check_holds(text, "\"ok\":false");
	check_holds(text, "\"why\":\"not compared: the second stage has no leaf\"");
	free(text);
	text = stage2_of(REPORT_TEXT, &stage2);
	check_lines(text);
	check_holds(text, "V10: not seen: no page could be compared.");
	free(text);
	stage2.leaves.items = &leaf;
	stage2.leaves.count = 1;
	text = stage2_of(REPORT_JSON, &stage2);
	check_holds(text, "\"seen\":false");
	check_holds(text, "\"why\":\"not compared: no leaf has an address in the process\"");
	free(text);
	snprintf(stage2.no_frames.text, sizeof(stage2.no_frames.text), "hidden");
	text = stage2_of(REPORT_JSON, &stage2);
	check_holds(text, "\"why\":\"hidden\"");
	free(text);
}
