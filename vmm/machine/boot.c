/* SPDX-License-Identifier: MIT */
/*
 * boot.c: memory and registers at the guest's entry.
 */
#include "base/clock.h"
#include "base/page.h"
#include "kvmap/boot.h"
#include "machine/machine_internal.h"
#include "machine/pvh.h"

#include <inttypes.h>
#include <string.h>

/* Address of module 0: the top of RAM below 3 GiB, since the guest allocates upwards from below. */
static int module_address(const struct machine *machine, size_t size, uint64_t *gpa_out, struct error *error)
{
	uint64_t low = guest_memory_low_size(machine->memory.size);
	uint64_t room = low - machine->program.end;

	if (size < sizeof(struct kvmap_boot))
		return error_set(error, ERROR_INPUT, 0, 0, "a boot module of %zu bytes has no boot record",
				 size);
	/* Rounding down to a page boundary takes up to a page. */
	if (size > room || room - size < PAGE_4K)
		return error_set(
			error, ERROR_INPUT, 0, 0,
			"a script of %zu bytes does not fit above the guest program, which ends at 0x%" PRIx64
			" of 0x%" PRIx64 ": give the guest more memory",
			size, machine->program.end, low);
	*gpa_out = page_round_down(low - size, PAGE_4K);
	return 0;
}

static void module_copy(struct machine *machine, const void *module, size_t size, uint64_t gpa)
{
	struct kvmap_boot record;

	memcpy(&record, module, sizeof(record));
	if (machine->has_ring) {
		record.flags |= KVMAP_BOOT_RING;
		record.ring_gpa = PVH_RING_GPA;
		record.ring_size = machine_ring_size();
		machine_ring_open(machine, record.operation_count);
	}
	record.log_gpa = record.flags & KVMAP_BOOT_LOG ? machine_log_open(machine) : 0;
	record.flags |=
		KVMAP_BOOT_CHANNEL | KVMAP_BOOT_ZEROED | (machine->facts.pages_1g ? KVMAP_BOOT_PAGES_1G : 0);
	record.channel_gpa = PVH_CHANNEL_GPA;
	record.channel_size = machine_channel_size();
	record.cpus = machine->cpus;
	record.nodes = machine->nodes;
	memcpy(machine->memory.bytes + gpa, module, size);
	memcpy(machine->memory.bytes + gpa, &record, sizeof(record));
}

int machine_boot(struct machine *machine, const void *module, size_t size, struct error *error)
{
	uint64_t start = clock_monotonic_ns(), gpa = 0;
	struct pvh_page page;

	if (module_address(machine, size, &gpa, error) < 0)
		return -1;
	module_copy(machine, module, size, gpa);
	machine_channel_open(machine);
	pvh_fill(&page, machine->memory.size, gpa, size);
	memcpy(machine->memory.bytes + PVH_START_GPA, &page, sizeof(page));
	if (machine_set_entry(machine, machine->program.entry, PVH_START_GPA, error) < 0)
		return -1;
	machine->facts.open_ns += clock_monotonic_ns() - start;
	return 0;
}
