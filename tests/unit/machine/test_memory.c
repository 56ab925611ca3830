/* SPDX-License-Identifier: MIT */
/*
 * Guest memory, the memory map, CPUID, the serial port and the kind of host: no KVM needed.
 */
#include "machine/guest_cpuid.h"
#include "machine/guest_memory.h"
#include "kvm/host_kind.h"
#include "machine/pvh.h"
#include "machine/serial.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static void size_refused(uint64_t size, const char *shown)
{
	struct guest_memory memory;
	struct error error = { 0 };
	char expected[256];

	snprintf(expected, sizeof(expected),
		 "a guest cannot have %s of memory: give it 8 MiB to 64 GiB, a multiple of 2 MiB", shown);
	cr_assert(eq(int, guest_memory_create(size, &memory, &error), -1));
	cr_expect(eq(int, error.kind, ERROR_INPUT));
	expect_text(error.text, expected);
}

Test(memory, a_size_that_cannot_be_is_refused_with_the_bounds)
{
	size_refused(0, "0 bytes");
	size_refused(6 * MIB, "6 MiB");
	size_refused(9 * MIB, "9 MiB");
	size_refused(64 * GIB + 2 * MIB, "65538 MiB");
	size_refused(UINT64_MAX, "18446744073709551615 bytes");
}

Test(memory, both_bounds_are_allowed)
{
	struct guest_memory memory;
	struct error error;

	cr_assert(eq(int, guest_memory_create(8 * MIB, &memory, &error), 0));
	guest_memory_destroy(&memory);
	cr_assert(eq(int, guest_memory_create(64 * GIB, &memory, &error), 0));
	guest_memory_destroy(&memory);
}

Test(memory, memory_up_to_3_gib_is_one_piece)
{
	struct guest_piece pieces[GUEST_PIECES_MAX];

	cr_assert(eq(u32, guest_memory_pieces(3 * GIB, pieces), 1));
	cr_expect(eq(u64, pieces[0].gpa, 0));
	cr_expect(eq(u64, pieces[0].size, 3 * GIB));
}

Test(memory, what_is_above_3_gib_lies_at_4_gib)
{
	struct guest_piece pieces[GUEST_PIECES_MAX];

	cr_assert(eq(u32, guest_memory_pieces(3 * GIB + 2 * MIB, pieces), 2));
	cr_expect(eq(u64, pieces[1].gpa, 4 * GIB));
	cr_expect(eq(u64, pieces[1].size, 2 * MIB));
	cr_expect(eq(u64, pieces[1].offset, 3 * GIB));
}

Test(memory_map, the_map_adds_up_and_reserves_what_a_pc_reserves)
{
	struct pvh_page page;

	pvh_fill(&page, 5 * GIB, 0xbfff0000, 0x1234);
	cr_assert(eq(u32, page.start.memmap_entries, 4));
	cr_expect(eq(u32, page.start.magic, 0x336ec578));
	cr_expect(eq(u64, page.start.memmap_paddr, PVH_START_GPA + offsetof(struct pvh_page, map)));
	cr_expect(eq(u64, page.module.paddr, 0xbfff0000));
	cr_expect(eq(u64, page.map[0].size, 0x9f000));
	cr_expect(eq(u32, page.map[1].type, XEN_HVM_MEMMAP_TYPE_RESERVED));
	cr_expect(eq(u64, page.map[2].addr, MIB));
	cr_expect(eq(u64, page.map[2].addr + page.map[2].size, 3 * GIB));
	cr_expect(eq(u64, page.map[3].addr, 4 * GIB));
	cr_expect(
		eq(u64, page.map[0].size + page.map[1].size + page.map[2].size + page.map[3].size, 5 * GIB));
}

Test(memory_map, little_memory_has_no_high_piece)
{
	struct pvh_page page;

	pvh_fill(&page, 256 * MIB, 0xfff0000, 0x1234);
	cr_expect(eq(u32, page.start.memmap_entries, 3));
}

/* ---- CPUID ---- */

static const uint32_t vendor[3] = { 1, 2, 3 };

static const struct kvm_cpuid_entry2 *leaf(const union cpuid_table *table, uint32_t function)
{
	for (uint32_t i = 0; i < table->list.nent; i++)
		if (table->list.entries[i].function == function)
			return &table->list.entries[i];
	cr_fatal("no leaf 0x%x", function);
}

Test(cpuid, without_hardware_the_guest_has_long_mode_and_nx_but_nothing_an_emulator_lacks)
{
	union cpuid_table table;

	cpuid_fill(&table, vendor, NULL);
	cr_expect(eq(u32, leaf(&table, 0)->ebx, 1));
	cr_expect(eq(u32, leaf(&table, 0)->ecx, 2));
	cr_expect(eq(u32, leaf(&table, 0)->edx, 3));
	cr_expect(eq(u32, leaf(&table, 0x80000001)->edx, 1u << 29 | 1 << 20 | 1 << 11));
	/* no popcnt (23), cmpxchg16b (13), PCID (17), xsave (26) */
	cr_expect(eq(u32, leaf(&table, 1)->ecx, 1u << 31));
	/* SMEP, and neither BMI (3, 8), INVPCID (10) nor SMAP (20) */
	cr_expect(eq(u32, leaf(&table, 7)->ebx, 1 << 7));
	cr_expect(eq(u32, leaf(&table, 7)->ecx, 0), "no LA57");
	cr_expect(not(cpuid_has_pages_1g(&table)));
	cr_expect(eq(u32, cpuid_physical_bits(&table), 39));
}

static struct kvm_cpuid2 *host_with(const struct kvm_cpuid_entry2 *entries, uint32_t count)
{
	struct kvm_cpuid2 *host = calloc(1, sizeof(*host) + count * sizeof(*entries));

	host->nent = count;
	memcpy(host->entries, entries, count * sizeof(*entries));
	return host;
}

Test(cpuid, hardware_takes_away_what_it_lacks_and_adds_1g_pages)
{
	const struct kvm_cpuid_entry2 entries[] = {
		{ .function = 1, .edx = ~0u, .ecx = ~0u },
		{ .function = 7, .index = 1, .ebx = ~0u },
		{ .function = 0x80000001, .edx = 1u << 29 | 1 << 26 | 1 << 20, .ecx = ~0u },
		{ .function = 0x80000008, .eax = 0x302e },
	};
	struct kvm_cpuid2 *host = host_with(entries, 4);
	union cpuid_table table;

	cpuid_fill(&table, vendor, host);
	free(host);
	cr_expect(cpuid_has_pages_1g(&table));
	cr_expect(eq(u32, leaf(&table, 1)->ecx, 1u << 31));
	cr_expect(eq(u32, leaf(&table, 7)->ebx, 0), "leaf 7.0 is not there, 7.1 is another");
	cr_expect(eq(u32, leaf(&table, 0x80000001)->edx, 1u << 29 | 1 << 26 | 1 << 20));
	cr_expect(eq(u32, cpuid_physical_bits(&table), 46));
}

/* ---- serial port ---- */

Test(serial, it_is_always_ready_and_keeps_what_is_written)
{
	struct serial serial = { 0 };

	cr_expect(eq(u8, serial_read(&serial, 5) & 0x60, 0x60));
	serial_write(&serial, 0, 'H');
	serial_write(&serial, 0, 'i');
	cr_assert(eq(sz, serial.text.count, 2));
	cr_expect(eq(int, memcmp(serial.text.items, "Hi", 2), 0));
	serial_destroy(&serial);
}

Test(serial, the_divisor_is_not_text)
{
	struct serial serial = { 0 };

	serial_write(&serial, 3, 0x83);
	serial_write(&serial, 0, 1);
	serial_write(&serial, 1, 0);
	serial_write(&serial, 3, 0x03);
	serial_write(&serial, 0, 'x');
	cr_expect(eq(sz, serial.text.count, 1));
	cr_expect(eq(u8, serial_read(&serial, 3), 0x03));
	serial_destroy(&serial);
}

Test(serial, what_is_beyond_the_bound_is_dropped)
{
	struct serial serial = { 0 };

	for (unsigned int i = 0; i < SERIAL_TEXT_MAX + 5; i++)
		serial_write(&serial, 0, 'x');
	cr_expect(eq(sz, serial.text.count, SERIAL_TEXT_MAX));
	serial_destroy(&serial);
}

/* ---- the kind of host ---- */

static void with_modules(const char *first, const char *second, const char *expected, bool hardware)
{
	char folder[] = "/tmp/kvmap-modules-XXXXXX", path[2][128];
	struct host_kind kind;

	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	snprintf(path[0], sizeof(path[0]), "%s/%s", folder, first);
	snprintf(path[1], sizeof(path[1]), "%s/%s", folder, second);
	mkdir(path[0], 0700);
	mkdir(path[1], 0700);
	kind = host_kind_find(folder);
	rmdir(path[0]);
	rmdir(path[1]);
	rmdir(folder);
	expect_text(kind.module, expected);
	cr_expect(eq(int, kind.hardware, hardware));
}

Test(host_kind, the_loaded_module_tells_and_pvm_beside_another_is_pvm)
{
	with_modules("kvm", "kvm_amd", "kvm_amd", true);
	with_modules("kvm", "kvm_intel", "kvm_intel", true);
	with_modules("kvm", "kvm_pvm", "kvm_pvm", false);
	with_modules("kvm_intel", "kvm_pvm", "kvm_pvm", false);
	with_modules("kvm", "other", "kvm", false);
}
