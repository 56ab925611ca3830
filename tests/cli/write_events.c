/* SPDX-License-Identifier: MIT */
/*
 * write_events.c: recordings for the tests of `kvmap replay`.
 *
 * write-events NAME FILE: a page of two CPUs is unmapped, and then
 *   clean     both flush it, and it is used again
 *   missing   CPU 1 does not flush it, and uses it
 *   table     the page table above it is freed and written
 *   pcid      the flush is of the wrong PCID
 *   five      as missing, with five levels
 *   nothing   no entry changes
 */
#include "base/page.h"
#include "base/x86.h"
#include "tlb/event_file.h"

#include <stdio.h>
#include <string.h>

#define USER 0x400000ull
#define ROOT 0x1000ull
#define LEAF (PTE_P | PTE_W | PTE_U)

static struct event_writer writer;

static void put(struct tlb_event event)
{
	event_writer_add(&writer, &event);
}

#define PUT(KIND, ...) put((struct tlb_event){ .kind = TLB_##KIND, __VA_ARGS__ })

/* A chain of tables from ROOT on, one page each, that maps USER to frame 0x100. */
static void start(unsigned int levels, uint64_t cr4)
{
	for (unsigned int level = levels; level; level--) {
		uint64_t entries[512] = { 0 }, table = ROOT + (levels - level) * PAGE_4K;

		entries[page_level_index(USER, level)] = (level > 1 ? table + PAGE_4K : 0x100000) | LEAF;
		PUT(PAGE, .address = table, .entries = entries);
	}
	for (uint16_t cpu = 0; cpu < 2; cpu++) {
		PUT(CR4, .cpu = cpu, .value = CR4_PAE | (levels == 5 ? CR4_LA57 : 0));
		PUT(CR3, .cpu = cpu, .value = ROOT);
		PUT(CR0, .cpu = cpu, .value = CR0_PE | CR0_PG | CR0_WP);
		PUT(CR4, .cpu = cpu, .value = CR4_PAE | cr4 | (levels == 5 ? CR4_LA57 : 0));
	}
}

static void use(void)
{
	PUT(OPERATION_END, .thread = 0x77);
	PUT(ACCESS, .cpu = 1, .address = USER + 8, .flags = TLB_ACCESS_USER | TLB_ACCESS_USED,
	    .value = 0x100008);
}

static int write_stream(const char *name)
{
	unsigned int levels = !strcmp(name, "five") ? 5 : 4;
	uint64_t pte = ROOT + (levels - 1) * PAGE_4K + page_level_index(USER, 1) * 8;
	bool is_pcid = !strcmp(name, "pcid"), is_table = !strcmp(name, "table");

	start(levels, is_pcid ? CR4_PCIDE : 0);
	if (!strcmp(name, "nothing"))
		return 0;
	if (is_pcid)
		PUT(CR3, .cpu = 1, .value = ROOT | 2);
	if (is_table)
		PUT(STORE, .address = ROOT + 2 * PAGE_4K + page_level_index(USER, 2) * 8, .thread = 0x77);
	else
		PUT(STORE, .flags = TLB_STORE_OLD_KNOWN, .address = pte, .old = 0x100000 | LEAF | PTE_A,
		    .thread = 0x77);
	PUT(INVLPG, .address = USER);
	if (!strcmp(name, "clean"))
		PUT(FLUSH_RANGE, .cpu = 1, .address = USER, .value = USER + PAGE_4K);
	if (is_pcid)
		PUT(INVPCID, .cpu = 1, .flags = TLB_INVPCID_SINGLE, .value = 3);
	if (is_table)
		PUT(STORE, .address = pte & PTE_ADDRESS, .value = 0x1234);
	else
		use();
	return strcmp(name, "clean") && strcmp(name, "missing") && !is_pcid && !is_table && levels == 4 ? -1
													: 0;
}

int main(int argc, char **argv)
{
	struct tlb_config config = tlb_config_default();
	FILE *file;

	if (argc != 3 || !(file = fopen(argv[2], "wb"))) {
		fprintf(stderr, "usage: write-events NAME FILE\n");
		return 2;
	}
	config.cpus = 2;
	event_writer_begin(&writer, file, &config);
	if (write_stream(argv[1]) < 0) {
		fprintf(stderr, "write-events: no stream `%s`\n", argv[1]);
		return 2;
	}
	event_writer_end(&writer);
	return fclose(file) == 0 ? 0 : 2;
}
