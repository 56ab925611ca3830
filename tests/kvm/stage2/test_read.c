/* SPDX-License-Identifier: MIT */
/*
 * test_read.c: the second stage of a VM, read from the kernel and compared with what the process has.
 */
#include "base/clock.h"
#include "toucher.h"

#include "stage2/reader.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA_PAGES (DATA_SLOTS * DATA_BYTES / 4096)

static void complain(void *context, const struct stage2_leaf *leaf, enum stage2_problem problem)
{
	char detail[200];

	fprintf(stderr, "GPA 0x%llx level %u %s: %s\n", (unsigned long long)leaf->gpa, leaf->level,
		stage2_problem_text(problem),
		stage2_problem_detail(context, leaf, problem, detail, sizeof(detail)));
}

static double now_ms(void)
{
	return (double)clock_monotonic_ns() / 1e6;
}

static void read_all(const struct toucher *toucher, struct stage2 *out, struct stage2_verdict *verdict)
{
	struct stage2_reader *reader;
	struct error error;
	double start;

	if (stage2_reader_open(&reader, &error) < 0) {
		/* No permission is no fault; it would be one as root. */
		cr_assert(error.kind == ERROR_PERMISSION && geteuid(), "%s", error.text);
		cr_skip_test("%s", error.text);
	}
	cr_assert_eq(stage2_read(reader, getpid(), toucher->vm, out, &error), 0, "%s", error.text);
	stage2_reader_close(reader);
	start = now_ms();
	stage2_check_all(out, verdict, complain, out);
	fprintf(stderr, "%zu leaves: kernel %.2f ms, decode %.2f ms, pagemap %.2f ms, check %.2f ms\n",
		out->leaves.count, (double)out->timing.read_ns / 1e6, (double)out->timing.decode_ns / 1e6,
		(double)out->timing.frames_ns / 1e6, now_ms() - start);
}

static void expect_agreement(const struct stage2 *stage2, const struct stage2_verdict *verdict)
{
	cr_expect_not(stage2->unsteady, "a VM that stands still is read at one moment");
	cr_expect_str_empty(stage2->no_frames.text);
	cr_expect_eq(verdict->findings, 0, "%llu findings", (unsigned long long)verdict->findings);
	cr_expect_eq(verdict->not_compared, 0, "%llu not compared",
		     (unsigned long long)verdict->not_compared);
	/* The root of shadow tables may hold entries of the host's own. */
	for (unsigned int level = 1; level <= 3; level++)
		cr_expect_eq(stage2->levels[level].odd + stage2->levels[level].frozen, 0, "level %u", level);
}

Test(stage2, a_quarter_of_a_million_leaves_point_at_the_frames_of_the_process)
{
	struct stage2_verdict verdict;
	struct toucher toucher;
	struct stage2 stage2;

	toucher_create(&toucher, DATA_MEMFD, DATA_SLOTS, 0);
	toucher_touch(&toucher, DATA_GPA, 4096, DATA_PAGES);
	/* Its times are figures: the best of several, on a busy machine. */
	for (int i = 0; i < 8; i++) {
		read_all(&toucher, &stage2, &verdict);
		expect_agreement(&stage2, &verdict);
		if (i < 7)
			stage2_destroy(&stage2);
	}
	cr_expect_eq(stage2.slots.count, DATA_SLOTS + 1, "%zu slots", stage2.slots.count);
	cr_expect_eq(stage2.vcpus, 1);
	cr_expect_geq(DATA_PAGES, 250000);
	cr_expect_geq(verdict.leaves, DATA_PAGES, "%llu leaves", (unsigned long long)verdict.leaves);
	cr_expect_geq(stage2.levels[1].mmio + stage2.levels[2].mmio, stage2.format.kind == STAGE2_NPT,
		      "the write to nowhere left its mark");
	for (uint64_t page = 0; page < DATA_PAGES; page += 4097) {
		const struct stage2_leaf *leaf = stage2_leaf_at(&stage2, DATA_GPA + page * 4096);

		cr_assert(leaf, "page %llu", (unsigned long long)page);
		cr_expect(stage2_entry_rights(&stage2.format, leaf->entry) & RIGHT_W);
	}
	stage2_destroy(&stage2);
	toucher_destroy(&toucher);
}

/* Whether anonymous memory that asks for huge pages gets them. */
static bool has_huge_pages(void)
{
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
	char text[64] = "";

	if (file) {
		if (!fgets(text, sizeof(text), file))
			text[0] = '\0';
		fclose(file);
	}
	return *text && !strstr(text, "[never]");
}

/* Shadow tables have 2M pages too, where the guest's page is one and the host's memory allows it. */
Test(stage2, huge_pages_are_mapped_by_large_leaves_that_are_right)
{
	struct stage2_verdict verdict;
	struct toucher toucher;
	struct stage2 stage2;

	toucher_create(&toucher, DATA_HUGE, DATA_SLOTS, 0);
	toucher_touch(&toucher, DATA_GPA, 4096, DATA_PAGES);
	read_all(&toucher, &stage2, &verdict);
	expect_agreement(&stage2, &verdict);
	cr_expect_geq(verdict.frames, DATA_PAGES, "%llu frames", (unsigned long long)verdict.frames);
	if (has_huge_pages())
		cr_expect_gt(stage2.levels[2].leaves, 0, "2M leaves");
	stage2_destroy(&stage2);
	toucher_destroy(&toucher);
}

/* The guest's page is 2M and so is the host's, but the one does not lie upon the other. */
Test(stage2, no_leaf_is_wider_than_the_slot_allows)
{
	struct stage2_effective effective = { 0 };
	struct stage2_verdict verdict;
	struct toucher toucher;
	struct stage2 stage2;

	toucher_create(&toucher, DATA_MISALIGNED, 1, 0);
	toucher_touch(&toucher, DATA_GPA, 4096, DATA_BYTES / 4096);
	read_all(&toucher, &stage2, &verdict);
	expect_agreement(&stage2, &verdict);
	for (uint64_t gpa = DATA_GPA; gpa < DATA_GPA + DATA_BYTES; gpa += 2 << 20)
		cr_expect_eq(stage2_effective_add(&stage2, gpa, 2, &effective), 1);
	cr_expect_eq(effective.splintered, DATA_BYTES >> 21, "every 2M page of the guest is splintered");
	cr_expect_eq(effective.bytes[2][1], DATA_BYTES);
	stage2_destroy(&stage2);
	toucher_destroy(&toucher);
}

Test(stage2, pages_that_the_guest_maps_by_4k_are_found_by_their_gpa)
{
	struct stage2_verdict verdict;
	struct toucher toucher;
	struct stage2 stage2;

	toucher_create(&toucher, DATA_MEMFD, 1, 0);
	toucher_touch(&toucher, SMALL_GVA, 4096, SMALL_PAGES);
	read_all(&toucher, &stage2, &verdict);
	expect_agreement(&stage2, &verdict);
	for (uint64_t page = 0; page < SMALL_PAGES; page++)
		cr_assert(stage2_leaf_at(&stage2, DATA_GPA + page * 4096), "page %llu",
			  (unsigned long long)page);
	cr_expect_null(stage2_leaf_at(&stage2, DATA_GPA + SMALL_PAGES * 4096),
		       "what was not touched is not there");
	stage2_destroy(&stage2);
	toucher_destroy(&toucher);
}

Test(stage2, dirty_logging_keeps_to_4k_pages)
{
	struct stage2_verdict verdict;
	struct toucher toucher;
	struct stage2 stage2;

	toucher_create(&toucher, DATA_HUGE, 1, KVM_MEM_LOG_DIRTY_PAGES);
	toucher_touch(&toucher, DATA_GPA, 4096, DATA_BYTES / 4096);
	read_all(&toucher, &stage2, &verdict);
	expect_agreement(&stage2, &verdict);
	cr_expect_eq(stage2_slot_at(&stage2, DATA_GPA)->flags, KVM_MEM_LOG_DIRTY_PAGES);
	cr_expect_eq(stage2.levels[2].leaves, 0, "dirty logging splits large pages");
	stage2_destroy(&stage2);
	toucher_destroy(&toucher);
}

Test(stage2, a_descriptor_that_is_no_vm_is_refused)
{
	struct stage2_reader *reader;
	struct toucher toucher;
	struct stage2 stage2;
	struct error error;

	toucher_create(&toucher, DATA_MEMFD, 1, 0);
	if (stage2_reader_open(&reader, &error) < 0)
		cr_skip_test("%s", error.text);
	cr_expect_eq(stage2_read(reader, getpid(), toucher.kvm, &stage2, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(stage2_read(reader, getpid(), toucher.vcpu.fd, &stage2, &error), -1);
	cr_expect_eq(stage2_read(reader, getpid(), 999, &stage2, &error), -1);
	cr_expect_eq(stage2_read(reader, getpid(), -1, &stage2, &error), 0, "its only one is found: %s",
		     error.text);
	stage2_destroy(&stage2);
	stage2_reader_close(reader);
	toucher_destroy(&toucher);
}

Test(stage2, the_registers_are_those_that_the_ioctl_tells)
{
	struct stage2_reader *reader;
	struct stage2_guest guest;
	struct toucher toucher;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct error error;

	toucher_create(&toucher, DATA_MEMFD, DATA_SLOTS, 0);
	toucher_touch(&toucher, DATA_GPA, 4096, 16);
	if (stage2_reader_open(&reader, &error) < 0)
		cr_skip_test("%s", error.text);
	cr_assert_eq(kvm_vcpu_get_sregs(&toucher.vcpu, &sregs, &error), 0);
	cr_assert_eq(kvm_vcpu_get_regs(&toucher.vcpu, &regs, &error), 0);
	cr_assert_eq(stage2_read_guest(reader, getpid(), toucher.vm, &guest, &error), 0, "%s", error.text);
	cr_expect_eq(guest.slots.count, DATA_SLOTS + 1);
	cr_assert_eq(guest.vcpu_count, 1);
	cr_expect_not(guest.vcpus[0].running);
	cr_expect_not(guest.vcpus[0].old_cr3);
	cr_expect_eq(guest.vcpus[0].registers.cr0, sregs.cr0);
	cr_expect_eq(guest.vcpus[0].registers.cr3, sregs.cr3);
	cr_expect_eq(guest.vcpus[0].registers.cr4, sregs.cr4);
	cr_expect_eq(guest.vcpus[0].registers.efer, sregs.efer);
	cr_expect_eq(guest.vcpus[0].registers.rip, regs.rip);
	cr_expect_eq(guest.vcpus[0].registers.rdi, regs.rdi);
	cr_expect_eq(guest.vcpus[0].registers.rdx, NOWHERE);
	cr_expect(guest.physical_bits >= 36 && guest.physical_bits <= 52, "%u", guest.physical_bits);
	free(guest.slots.items);
	stage2_reader_close(reader);
	toucher_destroy(&toucher);
}
