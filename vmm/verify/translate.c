/* SPDX-License-Identifier: MIT */
/*
 * translate.c: V11. KVM's own translation of an address agrees with the walk: whether there is one, and its
 * GPA.
 *
 * Rights are not compared: some hosts report them wrongly (docs/invariants.md).
 */
#include "verify/check.h"

#include <inttypes.h>

/* One question costs a system call: so many for an area, and for all of them. */
#define QUESTIONS_PER_AREA 512
#define QUESTIONS          4096

static void check_address(struct check *check, uint64_t gva)
{
	const struct facts *facts = check->facts;
	struct view_translation answer;
	struct finding *finding;
	struct walk walk;
	bool mapped;

	if (facts->view->translate(facts->view->translate_context, 0, gva, &answer) < 0) {
		check_not_seen(check, "KVM_TRANSLATE failed");
		return;
	}
	check->result->checked++;
	walk_translate(facts->view, facts->input->mode, gva, &walk);
	mapped = walk.stop == WALK_MAPPED;
	if (answer.valid == mapped && (!mapped || answer.gpa == walk.gpa))
		return;
	finding = finding_new(check, gva);
	if (mapped)
		finding_claimed(finding, "the walk: GPA 0x%" PRIx64, walk.gpa);
	else
		finding_claimed(finding, "the walk: %s", walk_stop_text(walk.stop));
	if (answer.valid)
		finding_found(finding, "KVM: GPA 0x%" PRIx64, answer.gpa);
	else
		finding_found(finding, "KVM: no translation");
	finding_where_gva(finding, check, gva);
}

/* Pages spread evenly, the first and the last among them, and the guard page. */
static void check_area(struct check *check, const struct claim_area *area, uint64_t most)
{
	uint64_t pages = area->frame_count, asked = pages < most ? pages : most;

	for (uint64_t i = 0; i < asked; i++) {
		uint64_t page = asked == 1 ? 0 : i * (pages - 1) / (asked - 1);

		check_address(check, area->va_start + page * KVMAP_PAGE_SIZE + 0x128);
	}
	check_address(check, area->va_end - KVMAP_PAGE_SIZE);
}

void check_translate(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct claims *claims = facts->claims;
	uint64_t most;

	if (!facts->view->translate) {
		check_not_seen(check, "no running virtual machine to ask");
		return;
	}
	check_address(check, 0);
	check_address(check, KVMAP_DIRECT_BASE);
	check_address(check, KVMAP_DIRECT_BASE + KVMAP_IMAGE_GPA + 0x18);
	for (size_t i = 0; i < facts->segment_count; i++)
		check_address(check, facts->segments[i].gva);
	most = claims && claims->areas.count ? QUESTIONS / claims->areas.count : 0;
	most = most < 2 ? 2 : most < QUESTIONS_PER_AREA ? most : QUESTIONS_PER_AREA;
	for (size_t i = 0; claims && i < claims->areas.count; i++)
		check_area(check, &claims->areas.items[i], most);
}
