/* SPDX-License-Identifier: MIT */
/*
 * translate.c: V11. KVM's translation of an address (KVM_TRANSLATE) agrees with the walk: whether there is
 * one, and its GPA. Rights are not compared, because some hosts report them wrongly (docs/invariants.md).
 */
#include "verify/check.h"

#include <inttypes.h>

/* Limits of translations, since each costs a system call. A view may have a lower limit (translate_max). */
#define QUESTIONS_PER_AREA 512
#define QUESTIONS          4096

/* Limit of further ones, of pages of large leaves. */
#define QUESTIONS_LARGE 4096

/* Minimum for an area: its first page, its last page and the first page of its guard. */
#define QUESTIONS_LEAST 3

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

/* Index of sample i when `samples` are spread evenly over `count` items, including the first and the last. */
static uint64_t spread(uint64_t i, uint64_t samples, uint64_t count)
{
	return samples == 1 ? 0 : i * (count - 1) / (samples - 1);
}

/*
 * Translates each page of the large leaves that the area begins with, up to *left pages: one entry translates them
 * all, so that a sample says little of the others. Returns the number of pages.
 */
static uint64_t check_large(struct check *check, const struct claim_area *area, uint64_t *left)
{
	const struct facts *facts = check->facts;
	uint64_t asked = 0;

	for (size_t i = facts_leaf_from(facts, area->va_start); i < facts->leaves.count; i++) {
		const struct leaf *leaf = &facts->leaves.items[i];
		uint64_t pages = leaf_size(leaf) >> KVMAP_PAGE_SHIFT;

		if (leaf->gva != area->va_start + asked * KVMAP_PAGE_SIZE || leaf->role != LEAF_CLAIMED ||
		    leaf->level == 1 || pages > *left)
			break;
		*left -= pages;
		for (uint64_t page = 0; page < pages; page++)
			check_address(check, leaf->gva + page * KVMAP_PAGE_SIZE + 0x128);
		asked += pages;
	}
	return asked;
}

/* The pages below `known` are translated already. */
static void check_area(struct check *check, const struct claim_area *area, uint64_t most, uint64_t known)
{
	uint64_t pages = area->frame_count, asked = pages < most ? pages : most;

	for (uint64_t i = 0; i < asked; i++)
		if (spread(i, asked, pages) >= known)
			check_address(check,
				      area->va_start + spread(i, asked, pages) * KVMAP_PAGE_SIZE + 0x128);
	check_address(check, claim_area_guard(area));
}

/* Checks a sample of the areas if `questions` translations are too few for all of them. */
static void check_areas(struct check *check, const struct claims *claims, uint64_t questions)
{
	uint64_t limit = check->facts->view->translate_max, left = limit ? 0 : QUESTIONS_LARGE;
	uint64_t count = claims->areas.count, asked = count, sampled = 0, most;

	if (limit && asked > questions / QUESTIONS_LEAST)
		asked = questions / QUESTIONS_LEAST;
	if (!asked)
		return;
	most = questions / asked - 1;
	most = most < 2 ? 2 : most < QUESTIONS_PER_AREA ? most : QUESTIONS_PER_AREA;
	for (uint64_t i = 0; i < count; i++) {
		const struct claim_area *area = &claims->areas.items[i];
		uint64_t known = area->flags & VM_HUGE ? check_large(check, area, &left) : 0;

		if (sampled == asked || i != spread(sampled, asked, count))
			continue;
		check_area(check, area, most, known);
		sampled++;
	}
}

void check_translate(struct check *check)
{
	const struct facts *facts = check->facts;
	uint64_t most = facts->view->translate_max;

	if (!facts->view->translate) {
		check_not_seen(check, "no KVM to ask: a core, or the VM of another program");
		return;
	}
	check_address(check, 0);
	check_address(check, KVMAP_DIRECT_BASE);
	check_address(check, KVMAP_DIRECT_BASE + KVMAP_IMAGE_GPA + 0x18);
	for (size_t i = 0; i < facts->segment_count; i++)
		check_address(check, facts->segments[i].gva);
	if (most)
		most = most > check->result->checked ? most - check->result->checked : 0;
	else
		most = QUESTIONS;
	if (facts->claims)
		check_areas(check, facts->claims, most);
}
