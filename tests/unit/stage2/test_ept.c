/* SPDX-License-Identifier: MIT */
/*
 * test_ept.c: EPT entries as the manual gives them (SDM vol. 3C 29.3.2, tables 29-1 to 29-7), with the marks
 * that KVM adds (bit 11, 57, 58).
 */
#include "stage2/stage2.h"

#include <criterion/criterion.h>

static const struct stage2_format ept = { STAGE2_EPT, 46, 0 };

#define PRESENT 0x800ull /* KVM's */

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
	{ "empty, before Linux 6.9", 1, 0, STAGE2_EMPTY, 0, 0, 0, "empty" },
	{ "empty, since: #VE suppressed", 1, 1ull << 63, STAGE2_EMPTY, 0, 0, 0, "empty" },
	{ "PML4E", 4, 0x123456000 | PRESENT | 7, STAGE2_TABLE, 0x123456000, 7, 0, "rwx" },
	{ "PML4E, accessed", 4, 0x123456000 | PRESENT | 0x107, STAGE2_TABLE, 0x123456000, 7, 0, "rwx A" },
	{ "PML4E with bits 3 to 7", 4, 0x123456000 | PRESENT | 0x87, STAGE2_TABLE, 0x123456000, 7, 0x80,
	  "rwx" },
	{ "PDPTE to a table", 3, 0x2000 | PRESENT | 7, STAGE2_TABLE, 0x2000, 7, 0, "rwx" },
	{ "PDPTE to a table with a memory type", 3, 0x2000 | PRESENT | 0x37, STAGE2_TABLE, 0x2000, 7, 0x30,
	  "rwx" },
	{ "PDPTE of a 1G page, WB", 3, 0x80000000 | PRESENT | 0xb7, STAGE2_PAGE, 0x80000000, 7, 0,
	  "rwx WB large" },
	{ "PDPTE of a 1G page that is not aligned", 3, 0x80200000 | PRESENT | 0xb7, STAGE2_PAGE, 0x80000000,
	  7, 0x200000, "rwx WB large" },
	{ "PDE of a 2M page, WB, ignore PAT, A, D", 2, 0x40200000 | PRESENT | 0x3f7, STAGE2_PAGE, 0x40200000,
	  7, 0, "rwx WB ignore-PAT large A D" },
	{ "PDE of a 2M page with bit 12, which is no PAT here", 2, 0x40201000 | PRESENT | 0xb7, STAGE2_PAGE,
	  0x40200000, 7, 0x1000, "rwx WB large" },
	{ "PTE, read and execute, UC", 1, 0x5000 | PRESENT | 5, STAGE2_PAGE, 0x5000, 5, 0, "r-x UC" },
	{ "PTE, write-combining", 1, 0x5000 | PRESENT | 0xf, STAGE2_PAGE, 0x5000, 7, 0, "rwx WC" },
	{ "PTE, write-through", 1, 0x5000 | PRESENT | 0x27, STAGE2_PAGE, 0x5000, 7, 0, "rwx WT" },
	{ "PTE, write-protected type", 1, 0x5000 | PRESENT | 0x2f, STAGE2_PAGE, 0x5000, 7, 0, "rwx WP" },
	{ "PTE of a type that is reserved", 1, 0x5000 | PRESENT | 0x17, STAGE2_PAGE, 0x5000, 7, 0x10,
	  "rwx type 2" },
	{ "PTE, bit 7 ignored", 1, 0x5000 | PRESENT | 0xb7, STAGE2_PAGE, 0x5000, 7, 0, "rwx WB" },
	{ "PTE, execute for users", 1, 0x5000 | PRESENT | 0x433, STAGE2_PAGE, 0x5000, 3, 0, "rw- WB XU" },
	{ "PTE that suppresses #VE", 1, 1ull << 63 | 0x5000 | PRESENT | 0x37, STAGE2_PAGE, 0x5000, 7, 0,
	  "rwx WB suppress-VE" },
	{ "PTE with KVM's write marks", 1, 3ull << 57 | 0x5000 | PRESENT | 0x35, STAGE2_PAGE, 0x5000, 5, 0,
	  "r-x WB host-writable mmu-writable" },
	{ "PTE above the host's width", 1, 1ull << 46 | 0x5000 | PRESENT | 0x37, STAGE2_PAGE, 0x5000, 7,
	  1ull << 46, "rwx WB" },
	{ "PML4E with each bit that is reserved", 4, 0x1000 | PRESENT | 0xff, STAGE2_TABLE, 0x1000, 7, 0xf8,
	  "rwx" },
	{ "PML5E", 5, 0x1000 | PRESENT | 0x107, STAGE2_TABLE, 0x1000, 7, 0, "rwx A" },
	{ "PDE to a table: bit 9 and what is above the address are ignored", 2,
	  0x7ffull << 52 | 0x2000 | PRESENT | 0x307, STAGE2_TABLE, 0x2000, 7, 0, "rwx A" },
	{ "PDE to a table, execute for users", 2, 0x2000 | PRESENT | 0x403, STAGE2_TABLE, 0x2000, 3, 0,
	  "rw- XU" },
	{ "PDE to a table of a host without A and D", 2, 1ull << 52 | 0x2000 | PRESENT | 7, STAGE2_TABLE,
	  0x2000, 7, 0, "rwx" },
	{ "PDPTE of a 1G page with bits 12 to 29", 3, 0x3ffff000 | PRESENT | 0xb7, STAGE2_PAGE, 0, 7,
	  0x3ffff000, "rwx WB large" },
	{ "PTE, execute only", 1, 0x5000 | PRESENT | 0x34, STAGE2_PAGE, 0x5000, 4, 0, "--x WB" },
	{ "PTE, writable and not readable: a misconfiguration", 1, 0x5000 | PRESENT | 0x32, STAGE2_PAGE,
	  0x5000, 2, 2, "-w- WB" },
	{ "PDE to a table, the same", 2, 0x5000 | PRESENT | 6, STAGE2_TABLE, 0x5000, 6, 2, "-wx" },
	{ "PTE of the other types that are reserved", 1, 0x5000 | PRESENT | 0x1f, STAGE2_PAGE, 0x5000, 7,
	  0x18, "rwx type 3" },
	{ "and", 1, 0x5000 | PRESENT | 0x3f, STAGE2_PAGE, 0x5000, 7, 0x38, "rwx type 7" },
	{ "PTE with a shadow stack of the supervisor", 1, 1ull << 60 | 0x5000 | PRESENT | 0x31, STAGE2_PAGE,
	  0x5000, 1, 0, "r-- WB shadow-stack" },
	{ "PTE with write permissions below a page", 1, 1ull << 61 | 0x5000 | PRESENT | 0x31, STAGE2_PAGE,
	  0x5000, 1, 0, "r-- WB sub-page" },
	{ "bit 61 of a 2M page is ignored", 2, 1ull << 61 | 0x200000 | PRESENT | 0xb7, STAGE2_PAGE, 0x200000,
	  7, 0, "rwx WB large" },
	{ "PTE of a host without A and D", 1, 1ull << 52 | 0x5000 | PRESENT | 0x37, STAGE2_PAGE, 0x5000, 7, 0,
	  "rwx WB A-D-by-faults" },
	{ "PTE whose writes are seen by faults", 1, 2ull << 52 | 0x5000 | PRESENT | 0x135, STAGE2_PAGE,
	  0x5000, 5, 0, "r-x WB A D-by-faults" },
	{ "PTE that KVM took the rights of, to see an access", 1,
	  5ull << 54 | 1ull << 52 | 3ull << 57 | 0x5000 | PRESENT | 0x30, STAGE2_PAGE, 0x5000, 0, 0,
	  "--- WB host-writable mmu-writable A-D-by-faults access-tracked, was r-x" },
	{ "the same, of a page that was not executable", 1, 1ull << 54 | 1ull << 52 | 0x5000 | PRESENT | 0x30,
	  STAGE2_PAGE, 0x5000, 0, 0, "--- WB A-D-by-faults access-tracked, was r--" },
	{ "MMIO with a generation in bits 3 to 10 and 52 to 62", 1, 0x7ff00000fee007feull, STAGE2_MMIO, 0, 6,
	  0, "MMIO: an access goes to the VMM" },
	{ "not present, with some bits: nothing of KVM's", 1, 0x5028, STAGE2_ODD, 0x5000, 0, 0, "not known" },
	{ "MMIO: writable and not readable is a misconfiguration", 1, 0x1000000000000006, STAGE2_MMIO, 0, 6,
	  0, "MMIO: an access goes to the VMM" },
	{ "frozen by the TDP MMU", 1, 0x5a0, STAGE2_FROZEN, 0, 0, 0, "frozen: KVM is changing it" },
	{ "frozen, since Linux 6.9", 2, 1ull << 63 | 0x5a0, STAGE2_FROZEN, 0, 0, 0,
	  "frozen: KVM is changing it" },
	{ "readable, but not KVM's", 1, 0x5037, STAGE2_ODD, 0x5000, 7, 0, "not known" },
};

Test(ept, entries_are_decoded_as_in_the_manual)
{
	char text[120];

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		unsigned int level = entries[i].level;
		uint64_t entry = entries[i].entry;
		enum stage2_entry_kind kind = stage2_entry_kind(&ept, level, entry);

		cr_expect_eq(kind, entries[i].kind, "%s: kind %d", entries[i].name, kind);
		cr_expect_str_eq(stage2_entry_text(&ept, level, entry, text, sizeof(text)), entries[i].text,
				 "%s: '%s'", entries[i].name, text);
		if (kind != STAGE2_TABLE && kind != STAGE2_PAGE)
			continue;
		cr_expect_eq(stage2_entry_hpa(&ept, level, entry), entries[i].hpa, "%s: HPA 0x%lx",
			     entries[i].name, stage2_entry_hpa(&ept, level, entry));
		cr_expect_eq(stage2_entry_rights(&ept, entry), entries[i].rights, "%s", entries[i].name);
		cr_expect_eq(stage2_entry_reserved(&ept, level, entry), entries[i].reserved,
			     "%s: reserved 0x%lx", entries[i].name,
			     stage2_entry_reserved(&ept, level, entry));
	}
}

Test(ept, accessed_and_dirty_are_bits_8_and_9)
{
	cr_expect(stage2_entry_accessed(&ept, 0x100) && !stage2_entry_accessed(&ept, 0x20));
	cr_expect(stage2_entry_dirty(&ept, 0x200) && !stage2_entry_dirty(&ept, 0x40));
}

Test(ept, without_accessed_and_dirty_bits_it_is_the_rights_that_tell)
{
	const uint64_t by_faults = 1ull << 52 | 0x5000 | PRESENT;

	cr_expect(stage2_entry_accessed(&ept, by_faults | 5));
	cr_expect_not(stage2_entry_accessed(&ept, by_faults | 0x300 | 5ull << 54), "its rights were taken");
	cr_expect(stage2_entry_dirty(&ept, by_faults | 7));
	cr_expect_not(stage2_entry_dirty(&ept, by_faults | 0x300 | 5));
	/* Seen by faults are its writes alone: A and D are the hardware's. */
	cr_expect_not(stage2_entry_dirty(&ept, 2ull << 52 | 0x5000 | PRESENT | 7));
}

Test(ept, a_text_that_does_not_fit_is_cut)
{
	char text[8];

	stage2_entry_text(&ept, 1, 3ull << 57 | 0x5000 | PRESENT | 0x37, text, sizeof(text));
	cr_expect_str_eq(text, "rwx WB ");
}
