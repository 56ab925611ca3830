/* SPDX-License-Identifier: MIT */
/*
 * stage2.c: V10: every GPA that the guest maps lies in a memory slot, or in the PC's hole for devices; and, where the second stage was
 * read, the kernel's slots are this machine's memory, and every page of the second stage is right
 * (stage2/check.c). Where the second stage has no leaf, V10 is not seen.
 */
#include "verify/check.h"

#include "base/page.h"

#include <inttypes.h>

/* Where a PC has devices below 1 MiB: VMs of other programs have memory in a part of it, or none. */
#define HOLE_START 0xa0000ull
#define HOLE_END   0x100000ull

/* Whether [gpa, gpa + size) is memory, but for that hole. */
static bool is_covered(const struct view *view, uint64_t gpa, uint64_t size)
{
	uint64_t end = gpa + size;

	if (gpa >= HOLE_END || end <= HOLE_START || view_covers(view, gpa, size))
		return view_covers(view, gpa, size);
	return (gpa >= HOLE_START || view_covers(view, gpa, HOLE_START - gpa)) &&
	       (end <= HOLE_END || view_covers(view, HOLE_END, end - HOLE_END));
}

static void check_leaves(struct check *check)
{
	const struct facts *facts = check->facts;

	for (size_t i = 0; i < facts->leaves.count; i++) {
		const struct leaf *leaf = &facts->leaves.items[i];
		struct finding *finding;

		check->result->checked++;
		if (is_covered(facts->view, leaf->gpa, leaf_size(leaf)))
			continue;
		finding = finding_new_pages(
			check, leaf->gva,
			&(struct finding_pages){ leaf->gva, leaf_size(leaf), "outside the slots", 0 });
		finding_claimed(finding, "maps memory of this machine");
		finding_found(finding, "GPA 0x%" PRIx64 ", 0x%" PRIx64 " bytes: not all of it is in a slot",
			      leaf->gpa, leaf_size(leaf));
		finding_where_gva(finding, check, leaf->gva);
	}
}

static void check_slots(struct check *check, const struct stage2 *stage2)
{
	const struct view *view = check->facts->view;

	for (unsigned int i = 0; i < view->region_count; i++) {
		const struct view_region *region = &view->regions[i];
		const struct stage2_slot *slot = stage2_slot_at(stage2, region->gpa);
		struct finding *finding;

		check->result->checked++;
		check->verdict->slots_checked++;
		if (slot && slot->gpa == region->gpa && slot->size == region->size)
			continue;
		finding = finding_new(check, region->gpa);
		finding_claimed(finding, "memory of this machine, 0x%" PRIx64 " bytes", region->size);
		finding_found(finding, "the kernel's slot there has 0x%" PRIx64 " bytes",
			      slot ? slot->size : 0);
		finding_where(finding, "memory slots");
	}
}

struct pages {
	struct check *check;
	const struct stage2 *stage2;
};

static void found(void *context, const struct stage2_leaf *leaf, enum stage2_problem problem)
{
	const struct pages *pages = context;
	const struct finding_pages wrong = {
		leaf->gpa, page_level_size(leaf->level), "second stage", (unsigned int)problem,
		.object = { OBJECT_PHYSICAL, leaf->gpa, leaf->gpa + page_level_size(leaf->level) }
	};
	struct finding *finding = finding_new_pages(pages->check, leaf->gpa, &wrong);
	char detail[128];

	finding_claimed(finding, "the memory of the slot that GPA 0x%" PRIx64 " lies in", leaf->gpa);
	finding_found(finding, "%s",
		      stage2_problem_detail(pages->stage2, leaf, problem, detail, sizeof(detail)));
	finding_where(finding, "the second stage: the page of 0x%" PRIx64 " bytes %s",
		      page_level_size(leaf->level), stage2_problem_text(problem));
}

static void check_pages(struct check *check, const struct stage2 *stage2)
{
	struct pages pages = { check, stage2 };
	struct stage2_verdict verdict;

	stage2_check_all(stage2, &verdict, found, &pages);
	check->result->checked += verdict.leaves;
	check->verdict->stage2_leaves_checked += verdict.leaves;
	if (!verdict.leaves)
		check_not_seen(check, "the second stage has no leaf: nothing of it was compared");
}

void check_second_stage(struct check *check)
{
	const struct verify_input *input = check->facts->input;

	check_leaves(check);
	if (!input->stage2)
		check_not_seen(check, input->no_stage2 ? input->no_stage2 : "not read; it needs --stage2");
	else if (input->stage2->unsteady)
		check_not_seen(check, "the VM changed its second stage each time that it was read");
	else {
		check_slots(check, input->stage2);
		check_pages(check, input->stage2);
		if (input->stage2->no_frames.text[0])
			check_not_seen(check, input->stage2->no_frames.text);
	}
}
