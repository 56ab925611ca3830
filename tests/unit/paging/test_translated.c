/* SPDX-License-Identifier: MIT */
/*
 * test_translated.c: a KVM that answers as the tables say, and one that does not.
 */
#include "tables.h"

#include "paging/translated.h"

#include <criterion/criterion.h>

static struct tables tables;
static struct {
	uint64_t wrong; /* the address at which KVM errs */
	bool denies;    /* there it says that nothing is mapped; else it tells another GPA */
	bool fails;
} kvm;

static int translate(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out)
{
	struct walk walk;

	(void)context;
	cr_expect_eq(cpu, 0);
	if (kvm.fails)
		return -1;
	walk_translate(&tables.view, &tables.mode, gva, &walk);
	*out = (struct view_translation){ walk.stop == WALK_MAPPED, walk.gpa };
	if (gva == kvm.wrong) {
		out->valid = !kvm.denies;
		out->gpa ^= K4;
	}
	return 0;
}

/* Two ranges: a page alone, and three with one right. */
static void init(void)
{
	tables_init(&tables, 4);
	tables_map(&tables, M2, 16 << 20, 2, PTE_W);
	for (uint64_t i = 0; i < 3; i++)
		tables_map(&tables, VMALLOC + i * K4, 0x200000 + 2 * i * K4, 1, PTE_W);
	tables.view.translate = translate;
}

static void fini(void)
{
	tables_destroy(&tables);
}

TestSuite(translated, .init = init, .fini = fini);

Test(translated, both_ends_of_each_range_are_asked)
{
	struct translated result;

	cr_assert_eq(translated_compare(&tables.view, &tables.mode, &result), 0);
	cr_expect_eq(result.asked, 3);
	cr_expect_eq(result.differing, 0);
	cr_expect_not(result.cut_short);
}

Test(translated, another_answer_is_told_with_its_place)
{
	struct translated result;

	kvm.wrong = VMALLOC + 2 * K4;
	cr_assert_eq(translated_compare(&tables.view, &tables.mode, &result), 0);
	cr_expect_eq(result.asked, 3);
	cr_expect_eq(result.differing, 1);
	cr_expect_eq(result.gva, VMALLOC + 2 * K4);
	cr_expect_eq(result.walk_gpa, 0x204000);
	cr_expect(result.valid);
	cr_expect_eq(result.kvm_gpa, 0x205000);
}

Test(translated, so_is_no_answer)
{
	struct translated result;

	kvm.wrong = M2;
	kvm.denies = true;
	cr_assert_eq(translated_compare(&tables.view, &tables.mode, &result), 0);
	cr_expect_eq(result.differing, 1);
	cr_expect_eq(result.gva, M2);
	cr_expect_not(result.valid);
}

Test(translated, an_ioctl_that_fails_is_no_agreement)
{
	struct translated result;

	kvm.fails = true;
	cr_expect_eq(translated_compare(&tables.view, &tables.mode, &result), -1);
	cr_expect_eq(result.asked, 0);
}

Test(translated, there_is_a_bound)
{
	struct translated result;

	/* Rights take turns, so that each page is a range. */
	for (uint64_t i = 0; i < TRANSLATED_MOST; i++)
		tables_map(&tables, VMALLOC + G1 + i * K4, 0x200000, 1, i % 2 ? PTE_W : 0);
	cr_assert_eq(translated_compare(&tables.view, &tables.mode, &result), 0);
	cr_expect(result.cut_short);
	cr_expect_eq(result.asked, TRANSLATED_MOST);
	cr_expect_eq(result.differing, 0);
	tables.view.translate_max = 5;
	cr_assert_eq(translated_compare(&tables.view, &tables.mode, &result), 0);
	cr_expect(result.cut_short);
	cr_expect_eq(result.asked, 5, "a view may bear fewer");
}
