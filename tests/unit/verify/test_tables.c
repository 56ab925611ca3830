/* SPDX-License-Identifier: MIT */
/*
 * test_tables.c: faults of the page tables.
 */
#include "world.h"

#include "base/array.h"

#include <criterion/criterion.h>
#include <string.h>

#define LEAF (PTE_W | PTE_A | PTE_D | PTE_G | PTE_NX)

TestSuite(tables, .init = world_init, .fini = world_destroy);

static void swap_entries(uint64_t one, uint64_t other)
{
	uint64_t *a = tables_entry(&w.tables, one, 1), *b = tables_entry(&w.tables, other, 1), entry = *a;

	*a = *b;
	*b = entry;
}

/* ---- V1 ---- */

Test(tables, frames_in_the_wrong_order_are_found)
{
	swap_entries(AREA_B, AREA_B + K4);
	expect_findings("V1 V5");
	cr_expect_eq(w.verdict.results[1].findings, 1, "both pages, of one cause");
	cr_expect_eq(w.verdict.findings.items[0].pages, 2);
	cr_expect_eq(w.verdict.findings.items[0].range_start, AREA_B);
	cr_expect_eq(w.verdict.findings.items[0].range_end, AREA_B + 2 * K4);
}

Test(tables, pages_side_by_side_with_two_causes_are_two_findings)
{
	*tables_entry(&w.tables, AREA_B, 1) &= ~(uint64_t)PTE_W;
	*tables_entry(&w.tables, AREA_B + K4, 1) = 0;
	w.claims.variables.count = 0;
	expect_findings("V1");
	cr_expect_eq(w.verdict.results[1].findings, 2);
	cr_expect_eq(w.verdict.findings.items[0].pages, 1);
	cr_expect_eq(w.verdict.findings.items[1].range_start, AREA_B + K4);
}

Test(tables, pages_of_one_area_and_one_cause_are_one_finding_with_gaps)
{
	*tables_entry(&w.tables, AREA_A, 1) = 0;
	*tables_entry(&w.tables, AREA_A + K4, 1) &= ~(uint64_t)PTE_W;
	*tables_entry(&w.tables, AREA_A + 2 * K4, 1) = 0;
	*tables_entry(&w.tables, AREA_B, 1) = 0;
	w.claims.variables.count = 0;
	expect_findings("V1");
	cr_expect_eq(w.verdict.results[1].findings, 3, "two of A, which have two causes, and one of B");
	cr_expect_eq(w.verdict.findings.items[0].pages, 2);
	cr_expect_eq(w.verdict.findings.items[0].range_start, AREA_A);
	cr_expect_eq(w.verdict.findings.items[0].range_end, AREA_A + 3 * K4);
	cr_expect(w.verdict.findings.items[0].gaps);
	cr_expect_eq(w.verdict.findings.items[1].address, AREA_A + K4);
	cr_expect_eq(w.verdict.findings.items[1].pages, 1);
	cr_expect_eq(w.verdict.findings.items[2].address, AREA_B);
}

Test(tables, stray_pages_of_one_table_are_one_finding_with_gaps)
{
	tables_map(&w.tables, AREA_END, LOW_GPA, 1, LEAF);
	tables_map(&w.tables, AREA_END + 2 * K4, LOW_GPA, 1, LEAF);
	tables_map(&w.tables, AREA_END + M2, LOW_GPA, 1, LEAF);
	w.verdict.finding_count = 0;
	cr_assert_eq(verify(&w.input, &w.verdict, &(struct error){ 0 }), 0);
	cr_expect_eq(w.verdict.results[2].findings, 2);
	cr_expect_eq(w.verdict.findings.items[0].pages, 2);
	cr_expect(w.verdict.findings.items[0].gaps);
}

Test(tables, tables_of_one_directory_that_are_none_are_one_finding)
{
	uint64_t *entry = tables_entry(&w.tables, AREA_END + 8 * M2, 2);

	for (unsigned int i = 0; i < 8; i++)
		entry[i] = (0x1100000 + 2 * i * K4) | PTE_P | PTE_W;
	memset(ram(0x1100000), 0, 16 * K4);
	cr_assert_eq(verify(&w.input, &w.verdict, &(struct error){ 0 }), 0);
	cr_expect_eq(w.verdict.results[6].findings, 1, "%lu", w.verdict.results[6].findings);
	for (size_t i = 0; i < w.verdict.findings.count; i++)
		if (w.verdict.findings.items[i].invariant == 6) {
			cr_expect_eq(w.verdict.findings.items[i].pages, 8);
			cr_expect(w.verdict.findings.items[i].gaps);
		}
}

Test(tables, a_page_that_is_not_mapped_is_found)
{
	*tables_entry(&w.tables, AREA_C, 1) = 0;
	w.claims.variables.count = 2;
	expect_findings("V1");
	cr_expect_eq(w.verdict.findings.items[0].address, AREA_C);
}

Test(tables, a_page_with_other_rights_is_found)
{
	*tables_entry(&w.tables, AREA_B, 1) &= ~(uint64_t)PTE_W;
	expect_findings("V1");
}

Test(tables, a_read_only_area_is_mapped_read_only)
{
	*tables_entry(&w.tables, AREA_C, 1) &= ~(uint64_t)(PTE_W | PTE_D);
	area(C)->flags = VM_READONLY;
	expect_findings("");
}

Test(tables, a_large_page_over_an_area_is_found_by_all_whom_it_concerns)
{
	tables_map(&w.tables, VMALLOC, RAM_HIGH_START, 2, LEAF);
	/* The table beneath is not reached any more (V4, V13), and all data are elsewhere (V12). */
	expect_findings("V1 V2 V3 V4 V5 V12 V13");
}

Test(tables, a_size_that_does_not_fit_its_pages_is_found)
{
	area(C)->nr_pages = 2;
	expect_findings("V1");
}

Test(tables, pages_that_do_not_fit_the_requested_bytes_are_found)
{
	area(B)->requested_size -= K4;
	expect_findings("V1");
	area(B)->requested_size += 1;
	expect_findings("");
	area(B)->requested_size = area(B)->nr_pages * K4 + 1;
	expect_findings("V1");
	area(B)->requested_size = 0;
	expect_findings("V1");
}

Test(tables, a_struct_page_with_another_address_is_found)
{
	page_of(*frame(B, 1))->vaddr += K4;
	expect_findings("V1");
}

/* ---- V2, V3 ---- */

Test(tables, a_stray_mapping_is_found)
{
	tables_map(&w.tables, AREA_END + 3 * K4, LOW_GPA, 1, LEAF);
	expect_findings("V2");
	cr_expect_eq(w.verdict.findings.items[0].address, AREA_END + 3 * K4);
}

Test(tables, a_lazily_freed_area_that_is_still_mapped_is_found)
{
	tables_map(&w.tables, AREA_L, *frame(L, 0) * K4, 1, LEAF);
	expect_findings("V2 V5");
}

Test(tables, a_mapped_guard_page_is_found)
{
	for (uint64_t page = AREA_B + 2 * K4; page < AREA_AFTER(AREA_B, 2); page += K4) {
		tables_map(&w.tables, page, LOW_GPA, 1, LEAF);
		expect_findings("V3");
		cr_expect_eq(w.verdict.results[3].findings, 1);
		cr_expect_eq(w.verdict.findings.items[0].address, page);
		*tables_entry(&w.tables, page, 1) = 0;
	}
}

/* ---- V5 ---- */

Test(tables, a_frame_of_two_areas_is_found)
{
	*frame(C, 0) = *frame(A, 0);
	w.claims.variables.count = 2;
	tables_map(&w.tables, AREA_C, *frame(A, 0) * K4, 1, LEAF);
	/* Its old frame is lost, the shared one has two owners (V4) and one address (V1). */
	expect_findings("V1 V4 V5");
}

Test(tables, a_second_mapping_of_an_areas_frame_is_found)
{
	tables_map(&w.tables, KVMAP_IMAGE_BASE + DATA, FRAME_A * K4, 1, LEAF);
	expect_findings("V5 V7");
}

/* ---- V6 ---- */

/* As often as a top table has entries, all the way down. */
Test(tables, a_table_that_is_reached_again_and_again_is_found_and_all_others_are_read)
{
	uint64_t table[4] = { 0 };

	for (unsigned int i = 1; i < 4; i++)
		table[i] = tables_new(&w.tables);
	for (unsigned int i = 0; i < 512; i++)
		for (unsigned int k = 1; k < 3; k++)
			*tables_slot(&w.tables, table[k], i) = table[k + 1] | PTE_P;
	for (unsigned int i = 1; i < 256; i++)
		*tables_slot(&w.tables, w.tables.mode.root, i) = table[1] | PTE_P;
	expect_findings("V6 V13");
	for (size_t i = 0; i < w.verdict.findings.count; i++)
		cr_expect(!strstr(w.verdict.findings.items[i].found, "the walk was ended"), "%s",
			  w.verdict.findings.items[i].found);
}

Test(tables, a_table_that_is_reached_twice_is_found)
{
	*tables_entry(&w.tables, VMALLOC + G1, 2) = *tables_entry(&w.tables, VMALLOC, 2);
	/* The second way to it maps the areas again (V2, V5); the way there is new (V4, V13). */
	w.claims.vm_stat[NR_PAGETABLE_PAGES]++;
	page_of(w.tables.next / K4 - 1)->owner = PAGE_TABLE;
	expect_findings("V2 V5 V6");
}

Test(tables, a_table_that_is_no_page_table_by_its_struct_page_is_found)
{
	page_of(w.tables.next / K4 - 1)->owner = PAGE_NONE;
	expect_findings("V6");
}

Test(tables, a_table_mapped_as_data_is_found)
{
	tables_map(&w.tables, AREA_END, w.tables.next - K4, 1, LEAF);
	expect_findings("V2 V6");
	tables_map(&w.tables, AREA_END, w.tables.next - K4, 1, LEAF & ~(uint64_t)PTE_W);
	expect_findings("V2");
}

Test(tables, a_table_that_is_an_areas_frame_is_found)
{
	*frame(C, 0) = (uint32_t)(w.tables.next / K4 - 1);
	w.claims.variables.count = 2;
	page_of(*frame(C, 0))->vaddr = AREA_C;
	tables_map(&w.tables, AREA_C, w.tables.next - K4, 1, LEAF);
	expect_findings("V4 V6");
}

Test(tables, a_cycle_is_found)
{
	*tables_entry(&w.tables, VMALLOC + (1ull << 39), 4) = w.tables.mode.root | PTE_P | PTE_W;
	/* It also maps tables into the vmalloc range (V2) and the image by a second, writable mapping (V7). */
	expect_findings("V2 V6 V7");
}

Test(tables, a_reserved_bit_is_found)
{
	*tables_entry(&w.tables, AREA_END, 1) = 1ull << 50 | PTE_P;
	expect_findings("V6");
	*tables_entry(&w.tables, AREA_END + K4, 1) = 1ull << 50 | PTE_P;
	expect_findings("V6");
	cr_expect_eq(w.verdict.results[6].findings, 1, "both entries, of one cause");
	cr_expect_eq(w.verdict.findings.items[0].pages, 2);
}

Test(tables, a_table_outside_of_memory_is_found)
{
	*tables_entry(&w.tables, VMALLOC + M2, 2) = RAM_LOW_END | PTE_P;
	expect_findings("V6");
}

/* ---- V7, V10 ---- */

Test(tables, writable_text_is_found_wherever_it_is_mapped)
{
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + TEXT, 1) |= PTE_W;
	expect_findings("V7");
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + TEXT, 1) &= ~(uint64_t)PTE_W;
	expect_findings("");
	*tables_entry(&w.tables, KVMAP_DIRECT_BASE + TEXT, 1) |= PTE_W;
	expect_findings("V7");
}

Test(tables, changed_text_is_found)
{
	ram(TEXT)[0x1234] = 0xcc;
	expect_findings("V7");
	cr_expect_eq(w.verdict.findings.items[0].address, KVMAP_IMAGE_BASE + TEXT + 0x1234);
}

Test(tables, data_may_change)
{
	ram(DATA)[0x123] = 0xcc;
	expect_findings("");
}

Test(tables, executable_data_is_found)
{
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + RODATA, 1) &= ~PTE_NX;
	expect_findings("V7");
}

/* Read-only, so that no other rule speaks of it. */
Test(tables, an_executable_page_of_the_direct_map_is_found)
{
	*tables_entry(&w.tables, KVMAP_DIRECT_BASE + RODATA, 1) &= ~PTE_NX;
	expect_findings("V7");
	cr_expect_eq(w.verdict.findings.items[0].address, KVMAP_DIRECT_BASE + RODATA);
	cr_expect_str_eq(w.verdict.findings.items[0].claimed, "the direct map is not executable");
}

Test(tables, a_user_page_is_found)
{
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + RODATA, 1) |= PTE_U;
	expect_findings("V7");
}

Test(tables, anything_in_the_low_half_is_found)
{
	tables_map(&w.tables, 0, LOW_GPA, 1, PTE_NX);
	page_of(w.tables.next / K4 - 1)->owner = page_of(w.tables.next / K4 - 2)->owner =
		page_of(w.tables.next / K4 - 3)->owner = PAGE_TABLE;
	w.claims.vm_stat[NR_PAGETABLE_PAGES] += 3;
	expect_findings("V7");
}

Test(tables, a_direct_map_that_lies_is_found)
{
	*tables_entry(&w.tables, KVMAP_DIRECT_BASE + RAM_HIGH_START + M2, 2) -= M2;
	expect_findings("V5 V7");
}

Test(tables, a_mapping_without_memory_is_found)
{
	tables_map(&w.tables, KVMAP_DIRECT_BASE + RAM_LOW_END, RAM_LOW_END, 2, LEAF);
	expect_findings("V10");
	cr_expect_eq(w.verdict.results[10].seen, NOT_SEEN, "the second stage stays unseen all the same");
}

Test(tables, no_more_translations_are_asked_for_than_the_view_bears)
{
	for (unsigned int most = 1; most < 40; most++) {
		w.tables.view.translate_max = most;
		expect_findings("");
		cr_expect_eq(w.verdict.results[11].seen, SEEN);
		if (most >= 10) {
			cr_expect_gt(w.verdict.results[11].checked, 3);
			cr_expect_leq(w.verdict.results[11].checked, most);
		}
		verdict_destroy(&w.verdict);
	}
}

static int no_answer(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out)
{
	(void)context;
	(void)cpu;
	(void)gva;
	(void)out;
	return -1;
}

Test(tables, a_KVM_that_does_not_answer_is_not_seen)
{
	w.tables.view.translate = no_answer;
	expect_findings("");
	cr_expect_eq(w.verdict.results[11].seen, NOT_SEEN);
}

/* ---- all of them ---- */

Test(tables, random_damage_of_tables_costs_bounded_time_and_memory)
{
	uint64_t state = 7;
	struct error error;

	for (unsigned int round = 0; round < 60; round++) {
		for (unsigned int i = 0; i < 20; i++) {
			uint64_t table = (random_next(&state) % (w.tables.next / K4 - 1) + 1) * K4;
			uint64_t entry = random_next(&state) & (RAM_HIGH_END - 1) & PTE_ADDRESS;

			*tables_slot(&w.tables, table, random_next(&state) % 512) =
				entry | PTE_P | (random_next(&state) & 0x80000000000001ffull);
		}
		verdict_destroy(&w.verdict);
		cr_assert_eq(verify(&w.input, &w.verdict, &error), 0);
		cr_expect_gt(w.verdict.finding_count, 0);
	}
}

/* ---- areas ---- */

Test(tables, findings_say_which_area_they_are_about_listed_or_not)
{
	uint32_t marks[2 * FINDINGS_LISTED + 1] = { 0 };
	struct claim_area other = *area(A), marked;

	w.input.area_findings = marks;
	expect_findings("");
	cr_expect_eq(marks[A] | marks[B] | marks[C] | marks[L], 0);
	tables_map(&w.tables, AREA_B + 2 * K4, LOW_GPA, 1, PTE_NX);
	expect_findings("V3");
	cr_expect_eq(marks[B], 1u << 3);
	cr_expect_eq(marks[A] | marks[C] | marks[L], 0);
	cr_expect_eq(w.verdict.findings.items[0].area, B + 1);
	/* More findings about other areas than are listed: B is marked all the same. */
	*tables_entry(&w.tables, AREA_B + 2 * K4, 1) = 0;
	marked = *area(B);
	marked.flags |= VM_READONLY;
	w.claims.areas.count = 0;
	for (unsigned int i = 0; i < 2 * FINDINGS_LISTED; i++) {
		other.addr = other.va_start = AREA_END + M2 + i * M2;
		other.va_end = other.va_start + other.size;
		cr_assert_eq(array_push(&w.claims.areas, other), 0);
	}
	cr_assert_eq(array_push(&w.claims.areas, marked), 0);
	verdict_destroy(&w.verdict);
	cr_assert_eq(verify(&w.input, &w.verdict, &(struct error){ 0 }), 0);
	cr_expect_gt(w.verdict.results[1].findings, FINDINGS_LISTED);
	cr_expect(marks[2 * FINDINGS_LISTED] & 1u << 1);
}

Test(tables, an_entry_of_an_area_with_another_bit_is_found)
{
	static const uint64_t bits[] = { PTE_A,       PTE_D,       PTE_G,      X86_BIT(9),
					 X86_BIT(11), X86_BIT(52), X86_BIT(58) };

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		*tables_entry(&w.tables, AREA_B, 1) ^= bits[i];
		expect_findings("V1");
		cr_expect_eq(w.verdict.results[1].findings, 1, "bit 0x%llx", (unsigned long long)bits[i]);
		*tables_entry(&w.tables, AREA_B, 1) ^= bits[i];
	}
	expect_findings("");
}

Test(tables, an_entry_of_the_image_or_of_the_direct_map_with_another_bit_is_found)
{
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + TEXT, 1) &= ~PTE_G;
	*tables_entry(&w.tables, KVMAP_DIRECT_BASE + RODATA, 1) |= PTE_D;
	expect_findings("V7");
	cr_expect_eq(w.verdict.results[7].findings, 2);
}
