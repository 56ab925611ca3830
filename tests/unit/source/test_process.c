/* SPDX-License-Identifier: MIT */
/*
 * The VM of another program: its memory slots and registers as a view.
 */
#include "calls.h"
#include "errors.h"
#include "no_memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct source source;
static struct error error;

/* Two slots with memory, one without between them, and three vCPUs of which only the last has paging on. */
static void start(void)
{
	calls_start();
	calls.hardware = true;
	calls.guest = (struct stage2_guest){ .vcpu_count = 3, .physical_bits = 39 };
	calls.guest.slots.items = calloc(3, sizeof(struct stage2_slot));
	calls.guest.slots.count = 3;
	calls.guest.slots.items[0] = (struct stage2_slot){ .gpa = 1 << 20, .size = 1 << 12, .hva = 1 << 30 };
	calls.guest.slots.items[1] = (struct stage2_slot){ .gpa = 9 << 20, .size = 1 << 12 };
	calls.guest.slots.items[2] =
		(struct stage2_slot){ .gpa = 2 << 20, .size = 2 << 12, .hva = 2ull << 30 };
	calls.guest.vcpus[0] = (struct stage2_vcpu){ .registers.rip = 0x1111, .old_cr3 = true };
	calls.guest.vcpus[1] = (struct stage2_vcpu){ .registers.rip = 0x2222 };
	calls.guest.vcpus[2] = (struct stage2_vcpu){ .registers = tables.view.cpus[0], .old_cr3 = true };
	source = (struct source){ .process = { .vm_fd = 12, .summary.pid = 4711 } };
}

static void end(void)
{
	if (source.process.view)
		free(source.process.view->cpus);
	free(source.process.view);
	calls_end();
}

TestSuite(source_process, .init = start, .fini = end);

static enum source_next read_nothing(struct source *sources, void *context)
{
	(void)sources, (void)context;
	return SOURCE_DONE;
}

/* The paging mode is found in each snapshot. */
static void take_snapshot(void)
{
	cr_assert_eq(source_snapshot(&source, 1, read_nothing, NULL, &error), 0, "%s", error.text);
}

Test(source_process, is_a_view_of_its_memory_and_registers)
{
	cr_assert_eq(source_read_process(&source, false, &error), 0, "%s", error.text);
	cr_expect_str_eq(calls.log, "reader guest view ");
	cr_assert(source.view && source.view == source.process.view);
	cr_expect_eq(source.view->cpu_count, 3);
	for (unsigned int i = 0; i < 3; i++)
		cr_expect(!memcmp(&source.view->cpus[i], &calls.guest.vcpus[i].registers,
				  sizeof(struct view_cpu)));
	cr_expect_eq(source.view->physical_bits, 39);
	cr_expect(source.view->pages_1g);
	cr_expect_eq(source.process.summary.old_cr3, 2);
	cr_expect_not(source.process.summary.stopped);
	take_snapshot();
	cr_expect(source.has_mode);
	cr_expect_eq(source.mode.root, tables.mode.root);
	cr_expect_eq(source.cpu, 2);
}

Test(source_process, without_hardware_paging_has_no_1g_pages)
{
	calls.hardware = false;
	cr_assert_eq(source_read_process(&source, false, &error), 0, "%s", error.text);
	cr_expect_not(source.view->pages_1g);
}

Test(source_process, is_stopped_before_it_is_read)
{
	cr_assert_eq(source_read_process(&source, true, &error), 0, "%s", error.text);
	cr_expect_str_eq(calls.log, "reader stop guest view ");
	cr_expect(source.process.summary.stopped);
	cr_expect_eq(source.process.stop, a_stop);
}

Test(source_process, without_paging_has_a_view_and_no_mode)
{
	calls.guest.vcpu_count = 2;
	cr_assert_eq(source_read_process(&source, false, &error), 0, "%s", error.text);
	take_snapshot();
	cr_expect_not(source.has_mode);
	expect_whole_error(&source.no_claims, ERROR_GUEST, 0, 0,
			   "CPU 0 is not in long mode with paging (CR0 0x0, CR4 0x0, EFER 0x0)");
}

Test(source_process, without_vcpus_has_no_mode)
{
	calls.guest.vcpu_count = 0;
	cr_assert_eq(source_read_process(&source, false, &error), 0, "%s", error.text);
	take_snapshot();
	expect_whole_error(&source.no_claims, ERROR_INPUT, 0, 0, "there is no CPU 0: the guest has 0");
}

Test(source_process, that_cannot_be_read_is_an_error)
{
	static const char *const names[] = { "reader", "stop", "guest" };

	for (size_t i = 0; i < 3; i++) {
		calls.failing = names[i];
		source.stage2_reading.reader = NULL;
		cr_expect_eq(source_read_process(&source, true, &error), -1);
		expect_whole_error(&error, ERROR_HOST, 0, 0x77, names[i]);
		cr_expect_null(source.view);
	}
	/* The slots are freed by the last. */
	calls.failing = "view";
	cr_expect_eq(source_read_process(&source, false, &error), -1);
	expect_whole_error(&error, ERROR_HOST, 0, 0x77, "view");
	cr_expect_null(source.view);
}

Test(source_process, without_memory_is_an_error)
{
	no_memory_at(1);
	cr_expect_eq(source_read_process(&source, false, &error), -1);
	cr_expect(no_memory_failed());
	expect_whole_error(&error, ERROR_HOST, 0, 0, "out of memory");
}
