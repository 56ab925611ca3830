/* SPDX-License-Identifier: MIT */
/* What is kept of a guest that died: its last line, and its registers where there are any. */
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct view_cpu cpus[2];
static struct view view;

TestSuite(death, .init = world_start, .fini = world_end);

static void expect_last_words(const char *serial, size_t length, const char *words)
{
	struct machine_event event = { .type = MACHINE_EXIT };

	world_serial(serial, length);
	cr_assert_eq(session_take_death(&session, &event), 0);
	cr_expect_str_eq(session.death.last_words, words);
}

Test(death, the_last_words_are_the_last_line_on_the_serial_port)
{
	expect_last_words("", 0, "");
	expect_last_words("\r\n\n", 3, "");
	expect_last_words("one", 3, "one");
	expect_last_words("one\ntwo\r\n\r\n", 11, "two");
	expect_last_words("one\ntwo\nthree", 13, "three");
	expect_last_words("one\ntwo\nthree", 6, "tw");
	expect_last_words("a\033[2Jb\n", 7, "a\\x1b[2Jb");
}

Test(death, long_last_words_are_cut)
{
	char serial[1000];

	memset(serial, 'x', sizeof(serial));
	world_serial(serial, sizeof(serial));
	cr_assert_eq(session_take_death(&session, &(struct machine_event){ .type = MACHINE_EXIT }), 0);
	cr_expect_lt(strlen(session.death.last_words), sizeof(session.death.last_words));
	cr_expect_gt(strlen(session.death.last_words), 100);
}

Test(death, the_event_and_the_finding_are_kept_without_a_view)
{
	struct machine_event event = { .type = MACHINE_MMIO, .address = 0x1111, .cpu = 2 };

	cr_assert_eq(session_take_death(&session, &event), 0);
	cr_expect_eq(session.run.death, &session.death);
	cr_expect_eq(session.death.event.type, MACHINE_MMIO);
	cr_expect_eq(session.death.event.address, 0x1111);
	cr_expect_not(session.death.has_registers);
	cr_expect_eq(world_finding(0)->address, 0x1111);
}

Test(death, the_registers_are_those_of_the_cpu_that_died)
{
	struct machine_event event = { .type = MACHINE_TRIPLE_FAULT, .cpu = 1 };

	view = (struct view){ .cpus = cpus, .cpu_count = 2 };
	cpus[0] = (struct view_cpu){ .rip = 0x1111 };
	cpus[1] = (struct view_cpu){ .rip = 0x2222, .cr0 = 1 };
	world_view = &view;
	cr_assert_eq(session_take_death(&session, &event), 0);
	cr_expect(session.death.has_registers);
	cr_expect_eq(session.death.registers.rip, 0x2222);
	cr_expect_eq(world_finding(0)->address, 0x2222);
	cr_expect_eq(session.death.code_size, 0);
	event.cpu = 0;
	cr_assert_eq(session_take_death(&session, &event), 0);
	cr_expect_not(session.death.has_registers, "a CPU without CR0 has none");
	cr_expect_eq(session.death.registers.rip, 0x1111);
}

Test(death, a_cpu_that_does_not_exist_has_no_registers)
{
	view = (struct view){ .cpus = cpus, .cpu_count = 1 };
	cpus[0] = cpus[1] = (struct view_cpu){ .cr0 = 1 };
	world_view = &view;
	cr_assert_eq(session_take_death(&session,
					&(struct machine_event){ .type = MACHINE_TRIPLE_FAULT, .cpu = 1 }),
		     0);
	cr_expect_not(session.death.has_registers);
	cr_expect_eq(session.verdict.finding_count, 1);
}
