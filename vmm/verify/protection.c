/* SPDX-License-Identifier: MIT */
/*
 * protection.c: V7. The rights of every leaf are those of its role; the image is mapped as the guest's file
 * says.
 */
#include "verify/check.h"

#include <inttypes.h>
#include <string.h>

static void report_leaf(struct check *check, const struct leaf *leaf, const char *claimed)
{
	struct finding *finding = finding_new_pages(
		check, leaf->gva,
		&(struct finding_pages){ leaf->gva, leaf_size(leaf), claimed, leaf->rights,
					 .group = group_of_table(leaf->gva, leaf_size(leaf)) });

	finding_claimed(finding, "%s", claimed);
	finding_found(finding, "GPA 0x%" PRIx64 ", 0x%" PRIx64 " bytes, %s", leaf->gpa, leaf_size(leaf),
		      RIGHTS_TEXT(leaf->rights));
	finding_where_gva(finding, check, leaf->gva);
}

static void check_leaf(struct check *check, const struct leaf *leaf)
{
	bool in_vmalloc = leaf->gva >= KVMAP_VMALLOC_START && leaf->gva < KVMAP_VMALLOC_END;

	if (leaf->rights & RIGHT_W && leaf->rights & RIGHT_X)
		report_leaf(check, leaf, "writable or executable, not both");
	if (leaf->rights & RIGHT_U)
		report_leaf(check, leaf, "supervisor only");
	if (leaf->gva >> 63 == 0)
		report_leaf(check, leaf, leaf->gva ? "the low half is not mapped" : "page 0 is not mapped");
	else if (leaf->role == LEAF_OTHER && !in_vmalloc)
		report_leaf(check, leaf, "direct map and image map their own GPA, other ranges nothing");
	if (leaf->role == LEAF_DIRECT && leaf->rights & RIGHT_X)
		report_leaf(check, leaf, "the direct map is not executable");
	if (leaf->rights & RIGHT_W && facts_maps_text(check->facts, leaf))
		report_leaf(check, leaf, "text and rodata are writable nowhere");
	if (leaf->role == LEAF_DIRECT || leaf->role == LEAF_IMAGE)
		check_entry_bits(check, leaf);
}

/* The page of a segment at `offset` is mapped to its GPA with exactly its rights. */
static void check_segment_page(struct check *check, const struct symbols_segment *segment, uint64_t offset)
{
	unsigned int rights =
		RIGHT_R | (segment->writable ? RIGHT_W : 0) | (segment->executable ? RIGHT_X : 0);
	const struct leaf *leaf = facts_leaf_at(check->facts, segment->gva + offset);
	uint64_t gpa = leaf ? leaf->gpa + (segment->gva + offset - leaf->gva) : 0;
	struct finding *finding;

	check->result->checked++;
	if (leaf && leaf->rights == rights && gpa == segment->gpa + offset)
		return;
	finding = finding_new_pages(
		check, segment->gva + offset,
		&(struct finding_pages){ segment->gva + offset, KVMAP_PAGE_SIZE, "page of the image",
					 leaf ? 1u + leaf->rights : 0,
					 .group = group_of_table(segment->gva + offset, KVMAP_PAGE_SIZE) });
	finding_claimed(finding, "GPA 0x%" PRIx64 ", %s, as in the file", segment->gpa + offset,
			RIGHTS_TEXT(rights));
	if (leaf)
		finding_found(finding, "GPA 0x%" PRIx64 ", %s", gpa, RIGHTS_TEXT(leaf->rights));
	else
		finding_found(finding, "not mapped");
	finding_where_gva(finding, check, segment->gva + offset);
}

/* Text and rodata hold what the file holds. */
static void check_segment_bytes(struct check *check, const struct symbols_segment *segment, uint64_t offset)
{
	uint64_t left = segment->file_size - offset;
	uint64_t size = left < KVMAP_PAGE_SIZE ? left : KVMAP_PAGE_SIZE, first = 0;
	const uint8_t *bytes = view_bytes(check->facts->view, segment->gpa + offset, size);
	const uint8_t *wanted = segment->bytes + offset;
	struct finding *finding;

	check->result->checked++;
	if (bytes && memcmp(bytes, wanted, size) == 0)
		return;
	while (bytes && first < size - 1 && bytes[first] == wanted[first])
		first++;
	finding = finding_new_pages(
		check, segment->gva + offset + first,
		&(struct finding_pages){ segment->gva + offset, KVMAP_PAGE_SIZE, "bytes of the image", !bytes,
					 .group = group_of_table(segment->gva + offset, KVMAP_PAGE_SIZE) });
	finding_claimed(finding, "0x%02x, as in the file", wanted[first]);
	if (bytes)
		finding_found(finding, "0x%02x, the first byte of the page that differs", bytes[first]);
	else
		finding_found(finding, "no memory at GPA 0x%" PRIx64, segment->gpa + offset);
	finding_where_gva(finding, check, segment->gva + offset + first);
}

/* A file that is not this guest's may claim any size. */
static void report_segment_outside(struct check *check, const struct symbols_segment *segment)
{
	struct finding *finding = finding_new(check, segment->gva);

	finding_claimed(finding, "0x%" PRIx64 " bytes of the file at GPA 0x%" PRIx64, segment->memory_size,
			segment->gpa);
	finding_found(finding, "the machine has no such memory");
	finding_where_gva(finding, check, segment->gva);
}

void check_protection(struct check *check)
{
	const struct facts *facts = check->facts;

	for (size_t i = 0; i < facts->leaves.count; i++)
		check_leaf(check, &facts->leaves.items[i]);
	check->result->checked += facts->leaves.count;
	check_write_execute(check);
	check_memory_types(check);
	for (size_t i = 0; i < facts->segment_count; i++) {
		const struct symbols_segment *segment = &facts->segments[i];

		if (!view_region(facts->view, segment->gpa, segment->memory_size)) {
			report_segment_outside(check, segment);
			continue;
		}
		for (uint64_t offset = 0; offset < segment->memory_size; offset += KVMAP_PAGE_SIZE)
			check_segment_page(check, segment, offset);
		for (uint64_t offset = 0; !segment->writable && offset < segment->file_size;
		     offset += KVMAP_PAGE_SIZE)
			check_segment_bytes(check, segment, offset);
	}
	if (!facts->segment_count)
		check_not_seen(check, "the guest's file is not there to compare the image with");
}
