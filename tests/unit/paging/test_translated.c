/* SPDX-License-Identifier: MIT */
/*
 * test_translated.c: a KVM that answers as the tables say, and one that does not.
 */
#include "tables.h"

#include "paging/translated.h"

#include <criterion/criterion.h>
#include <string.h>

static struct tables tables;
static struct {
	uint64_t wrong; /* the address at which KVM errs */
	bool always;    /* it errs at every address */
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
	if (gva == kvm.wrong || kvm.always) {
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

static void expect_result(int status, struct translated wanted)
{
	struct translated found;

	memset(&found, 0xff, sizeof(found));
	cr_expect_eq(translated_compare(&tables.view, &tables.mode, &found), status);
	cr_expect(found.asked == wanted.asked && found.differing == wanted.differing &&
			  found.gva == wanted.gva && found.walk_gpa == wanted.walk_gpa &&
			  found.valid == wanted.valid && found.kvm_gpa == wanted.kvm_gpa &&
			  found.cut_short == wanted.cut_short,
		  "%lu of %lu differ, the first at 0x%lx: 0x%lx, KVM %d 0x%lx, cut short %d", found.differing,
		  found.asked, found.gva, found.walk_gpa, found.valid, found.kvm_gpa, found.cut_short);
}

Test(translated, both_ends_of_each_range_are_asked)
{
	expect_result(0, (struct translated){ .asked = 3 });
}

Test(translated, another_answer_is_told_with_its_place)
{
	kvm.wrong = VMALLOC + 2 * K4;
	expect_result(0, (struct translated){ .asked = 3,
					      .differing = 1,
					      .gva = VMALLOC + 2 * K4,
					      .walk_gpa = 0x204000,
					      .valid = true,
					      .kvm_gpa = 0x205000 });
}

Test(translated, so_is_no_answer)
{
	kvm.wrong = M2;
	kvm.denies = true;
	expect_result(0, (struct translated){ .asked = 3, .differing = 1, .gva = M2, .walk_gpa = 16 << 20 });
}

Test(translated, the_first_of_several_is_kept)
{
	kvm.always = true;
	expect_result(0, (struct translated){ .asked = 3,
					      .differing = 3,
					      .gva = M2,
					      .walk_gpa = 16 << 20,
					      .valid = true,
					      .kvm_gpa = (16 << 20) + K4 });
}

Test(translated, an_ioctl_that_fails_is_no_agreement)
{
	kvm.fails = true;
	expect_result(-1, (struct translated){ 0 });
}

Test(translated, there_is_a_bound)
{
	/* Rights take turns, so that each page is a range. */
	for (uint64_t i = 0; i < TRANSLATED_MOST; i++)
		tables_map(&tables, VMALLOC + G1 + i * K4, 0x200000, 1, i % 2 ? PTE_W : 0);
	expect_result(0, (struct translated){ .asked = TRANSLATED_MOST, .cut_short = true });
	tables.view.translate_max = TRANSLATED_MOST + 1;
	expect_result(0, (struct translated){ .asked = TRANSLATED_MOST, .cut_short = true });
	tables.view.translate_max = 5;
	expect_result(0, (struct translated){ .asked = 5, .cut_short = true });
}

Test(translated, tables_without_end_cut_it_short)
{
	uint64_t table[5] = { 0, tables_new(&tables), tables_new(&tables), tables_new(&tables),
			      tables.mode.root };

	for (unsigned int level = 4; level > 1; level--)
		for (unsigned int i = 0; i < 512; i++)
			*tables_slot(&tables, table[level], i) = table[level - 1] | PTE_P;
	expect_result(0, (struct translated){ .cut_short = true });
}
