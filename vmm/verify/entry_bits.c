/* SPDX-License-Identifier: MIT */
/*
 * entry_bits.c: V1 and V7, of the bits of a leaf that are neither its address nor its rights nor its memory type. The guest
 * sets accessed and dirty in advance and uses no other bit, so that each leaf can be compared as a whole.
 */
#include "verify/check.h"

#include <inttypes.h>

/* Accessed and global always; dirty where it is writable; never a bit of software, or a protection key. */
static uint32_t expected(const struct leaf *leaf)
{
	return LEAF_BITS(PTE_A | PTE_G | (leaf->rights & RIGHT_W ? PTE_D : 0));
}

void check_entry_bits(struct check *check, const struct leaf *leaf)
{
	uint32_t wanted = expected(leaf);
	struct finding *finding;

	if (leaf->bits == wanted)
		return;
	finding = finding_new_pages(
		check, leaf->gva,
		&(struct finding_pages){ leaf->gva, leaf_size(leaf), "bits of an entry", leaf->bits ^ wanted,
					 .group = group_of_table(leaf->gva, leaf_size(leaf)) });
	finding_claimed(finding, "bits 0x%" PRIx64 " beside address, rights and memory type",
			LEAF_BITS_OF_ENTRY(wanted));
	finding_found(finding, "bits 0x%" PRIx64, LEAF_BITS_OF_ENTRY(leaf->bits));
	finding_where_gva(finding, check, leaf->gva);
}

void check_area_bits(struct check *check)
{
	const struct facts *facts = check->facts;

	for (size_t i = facts_leaf_from(facts, KVMAP_VMALLOC_START); i < facts->leaves.count; i++) {
		const struct leaf *leaf = &facts->leaves.items[i];

		if (leaf->gva >= KVMAP_VMALLOC_END)
			break;
		if (leaf->role == LEAF_CLAIMED || leaf->role == LEAF_WRONG || leaf->role == LEAF_ALIAS)
			check_entry_bits(check, leaf);
	}
}
