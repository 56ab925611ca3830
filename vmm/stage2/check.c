/* SPDX-License-Identifier: MIT */
/*
 * check.c: V10 on one leaf: it lies in a memory slot, is no wider than the slot allows, and points at the
 * frames that back the slot's host memory.
 */
#include "stage2/pagemap.h"
#include "base/page.h"
#include "stage2/stage2.h"

#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>

/* Memory that has no HVA, KVM_MEM_GUEST_MEMFD of Linux 6.8 and later. */
#define SLOT_GUEST_MEMFD (1u << 2)

static const char *const texts[STAGE2_PROBLEMS] = {
	[STAGE2_OK] = "agrees",
	[STAGE2_NOT_COMPARED] = "not compared",
	[STAGE2_NO_SLOT] = "lies in no memory slot",
	[STAGE2_WIDER_THAN_SLOT] = "is wider than its memory slot",
	[STAGE2_MISALIGNED] = "is wider than the alignment of its slot's host memory allows",
	[STAGE2_RESERVED] = "has reserved bits set",
	[STAGE2_WRITABLE_SLOT] = "is writable in a read-only memory slot",
	[STAGE2_NOT_BACKED] = "maps memory where the process has none",
	[STAGE2_OTHER_FRAME] = "points at another frame than the process has there",
};

const char *stage2_problem_text(enum stage2_problem problem)
{
	return (unsigned int)problem < STAGE2_PROBLEMS ? texts[problem] : "?";
}

static uint64_t leaf_hpa(const struct stage2 *stage2, const struct stage2_leaf *leaf)
{
	return stage2_entry_hpa(&stage2->format, leaf->level, leaf->entry);
}

/* Shape: what can be said without the host's frames. */
static enum stage2_problem check_shape(const struct stage2 *stage2, const struct stage2_leaf *leaf,
				       const struct stage2_slot *slot)
{
	uint64_t size = page_level_size(leaf->level);

	if (stage2_entry_reserved(&stage2->format, leaf->level, leaf->entry))
		return STAGE2_RESERVED;
	if (leaf->gpa & (size - 1) || slot->size - (leaf->gpa - slot->gpa) < size)
		return STAGE2_WIDER_THAN_SLOT;
	/* A large leaf may begin before its slot does. */
	if ((slot->gpa ^ slot->hva) & (size - 1) && !(slot->flags & SLOT_GUEST_MEMFD))
		return STAGE2_MISALIGNED;
	if (slot->flags & KVM_MEM_READONLY && stage2_entry_rights(&stage2->format, leaf->entry) & RIGHT_W)
		return STAGE2_WRITABLE_SLOT;
	return STAGE2_OK;
}

enum stage2_problem stage2_check(const struct stage2 *stage2, const struct stage2_leaf *leaf)
{
	const struct stage2_slot *slot;
	enum stage2_problem problem;

	if (leaf->nested || leaf->smm)
		return STAGE2_NOT_COMPARED;
	slot = stage2_slot_at(stage2, leaf->gpa);
	if (!slot)
		return STAGE2_NO_SLOT;
	problem = check_shape(stage2, leaf, slot);
	if (problem != STAGE2_OK)
		return problem;
	if (!leaf->looked_up || slot->flags & SLOT_GUEST_MEMFD)
		return STAGE2_NOT_COMPARED;
	if (!(leaf->backing & PAGEMAP_PRESENT))
		return STAGE2_NOT_BACKED;
	if ((leaf->backing & PAGEMAP_FRAME) != leaf_hpa(stage2, leaf) / PAGE_4K || leaf->stray)
		return STAGE2_OTHER_FRAME;
	return STAGE2_OK;
}

const char *stage2_problem_detail(const struct stage2 *stage2, const struct stage2_leaf *leaf,
				  enum stage2_problem problem, char *out, size_t size)
{
	const struct stage2_slot *slot = stage2_slot_at(stage2, leaf->gpa);
	uint64_t hpa = leaf_hpa(stage2, leaf);

	switch (problem) {
	case STAGE2_OTHER_FRAME:
		if (leaf->stray)
			snprintf(out, size,
				 "HPA 0x%" PRIx64 ", but its page %" PRIu32
				 " does not follow in the process's memory",
				 hpa, leaf->stray - 1);
		else
			snprintf(out, size, "HPA 0x%" PRIx64 ", the process has 0x%" PRIx64 " there", hpa,
				 (leaf->backing & PAGEMAP_FRAME) * PAGE_4K);
		break;
	case STAGE2_WIDER_THAN_SLOT:
	case STAGE2_MISALIGNED:
		snprintf(out, size,
			 "0x%" PRIx64 " bytes, in a slot of 0x%" PRIx64 " bytes at GPA 0x%" PRIx64
			 ", HVA 0x%" PRIx64,
			 page_level_size(leaf->level), slot ? slot->size : 0, slot ? slot->gpa : 0,
			 slot ? slot->hva : 0);
		break;
	default: snprintf(out, size, "HPA 0x%" PRIx64 ", entry 0x%" PRIx64, hpa, leaf->entry);
	}
	return out;
}

void stage2_check_all(const struct stage2 *stage2, struct stage2_verdict *out,
		      void (*found)(void *context, const struct stage2_leaf *leaf,
				    enum stage2_problem problem),
		      void *context)
{
	*out = (struct stage2_verdict){ 0 };
	for (size_t i = 0; i < stage2->leaves.count; i++) {
		const struct stage2_leaf *leaf = &stage2->leaves.items[i];
		enum stage2_problem problem = stage2_check(stage2, leaf);

		out->problems[problem]++;
		if (problem == STAGE2_NOT_COMPARED) {
			out->not_compared++;
			continue;
		}
		out->leaves++;
		out->frames += stage2_leaf_frames(leaf);
		if (problem == STAGE2_OK)
			continue;
		out->findings++;
		if (found)
			found(context, leaf, problem);
	}
}
