/* SPDX-License-Identifier: MIT */
/*
 * test_x86.c: entries of NPT and of shadow tables, which have the format of ordinary ones (SDM vol. 3A 4.5,
 * APM vol. 2 5.3, 15.25.5), with KVM's marks (bit 9, 10, 11).
 */
#include "stage2/stage2.h"

#include <criterion/criterion.h>

static const struct stage2_format npt = { STAGE2_NPT, 48, 0 };

#define PRESENT 0x800ull /* KVM's */
#define NX      (1ull << 63)

static const struct {
	const char *name;
	unsigned int level;
	uint64_t entry;
	enum stage2_entry_kind kind;
	uint64_t hpa;
	unsigned int rights;
	uint64_t reserved;
	const char *text;
} entries[] = {
	{ "empty", 1, 0, STAGE2_EMPTY, 0, 0, 0, "empty" },
	{ "a table", 4, 0x123456000 | PRESENT | 0x27, STAGE2_TABLE, 0x123456000, 15, 0, "P W U A" },
	{ "a PML4 entry with PS", 4, 0x1000 | PRESENT | 0xa7, STAGE2_TABLE, 0x1000, 15, 0x80, "P W U A" },
	{ "a 4K page as KVM makes it", 1, 0x3ac1e67, STAGE2_PAGE, 0x3ac1000, 15, 0,
	  "P W U A D host-writable mmu-writable" },
	{ "a 4K page, read only, NX", 1, NX | 0x5000 | PRESENT | 0x25, STAGE2_PAGE, 0x5000, RIGHT_R | RIGHT_U,
	  0, "P U A NX" },
	{ "bit 7 of a 4K page is PAT", 1, 0x5000 | PRESENT | 0x87, STAGE2_PAGE, 0x5000, 15, 0, "P W U PAT" },
	{ "a 2M page", 2, 0x40200000 | PRESENT | 0xe7, STAGE2_PAGE, 0x40200000, 15, 0, "P W U A PS D" },
	{ "bit 12 of a 2M page is PAT", 2, 0x40201000 | PRESENT | 0x87, STAGE2_PAGE, 0x40200000, 15, 0,
	  "P W U PAT PS" },
	{ "bit 13 of a 2M page is reserved", 2, 0x40202000 | PRESENT | 0x87, STAGE2_PAGE, 0x40200000, 15,
	  0x2000, "P W U PS" },
	{ "a 1G page, cache disabled", 3, 0x80000000 | PRESENT | 0x9f, STAGE2_PAGE, 0x80000000, 15, 0,
	  "P W U PWT PCD PS" },
	{ "above the host's width", 1, 1ull << 50 | 0x5000 | PRESENT | 7, STAGE2_PAGE, 0x5000, 15, 1ull << 50,
	  "P W U" },
	{ "MMIO: present with a reserved bit", 1, 1ull << 51 | 0xfee00001, STAGE2_MMIO, 0, 0, 0,
	  "MMIO: an access goes to the VMM" },
	{ "a table of the host's own in a shadow root", 4, 0x7000063, STAGE2_ODD, 0, 0, 0, "not known" },
	{ "frozen", 1, 0x5a0, STAGE2_FROZEN, 0, 0, 0, "frozen: KVM is changing it" },
};

Test(x86, entries_are_decoded_as_in_the_manuals)
{
	char text[120];

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		unsigned int level = entries[i].level;
		uint64_t entry = entries[i].entry;
		enum stage2_entry_kind kind = stage2_entry_kind(&npt, level, entry);

		cr_expect_eq(kind, entries[i].kind, "%s: kind %d", entries[i].name, kind);
		cr_expect_str_eq(stage2_entry_text(&npt, level, entry, text, sizeof(text)), entries[i].text,
				 "%s: '%s'", entries[i].name, text);
		if (kind != STAGE2_TABLE && kind != STAGE2_PAGE)
			continue;
		cr_expect_eq(stage2_entry_hpa(&npt, level, entry), entries[i].hpa, "%s", entries[i].name);
		cr_expect_eq(stage2_entry_rights(&npt, entry), entries[i].rights, "%s", entries[i].name);
		cr_expect_eq(stage2_entry_reserved(&npt, level, entry), entries[i].reserved,
			     "%s: reserved 0x%lx", entries[i].name,
			     stage2_entry_reserved(&npt, level, entry));
	}
}

Test(x86, accessed_and_dirty_are_bits_5_and_6)
{
	cr_expect(stage2_entry_accessed(&npt, 0x20) && !stage2_entry_accessed(&npt, 0x100));
	cr_expect(stage2_entry_dirty(&npt, 0x40) && !stage2_entry_dirty(&npt, 0x200));
}

Test(x86, the_bit_of_memory_encryption_is_no_address)
{
	const struct stage2_format sme = { STAGE2_NPT, 43, 1ull << 47 };
	const uint64_t page = 1ull << 47 | 0x5000 | PRESENT | 7,
		       large = 1ull << 47 | 0x200000 | PRESENT | 0x87;
	char text[80];

	cr_expect_eq(stage2_entry_hpa(&sme, 1, page), 0x5000);
	cr_expect_eq(stage2_entry_reserved(&sme, 1, page), 0);
	cr_expect_eq(stage2_entry_reserved(&sme, 2, large), 0);
	cr_expect_eq(stage2_entry_reserved(&sme, 1, page | 1ull << 46), 1ull << 46);
	cr_expect_str_eq(stage2_entry_text(&sme, 1, page, text, sizeof(text)), "P W U encrypted");
	cr_expect_eq(stage2_entry_kind(&sme, 1, 1ull << 47 | 0x5001), STAGE2_ODD);
	cr_expect_eq(stage2_entry_kind(&sme, 1, 1ull << 51 | 1ull << 47 | 0x5001), STAGE2_MMIO);
}
