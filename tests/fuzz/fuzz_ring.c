/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ring.c: a guest that writes what it likes into the ring of operations and the channel, while the host gives it
 * operations and takes its records.
 */
#include "fuzz.h"

#include "machine/machine_internal.h"
#include "machine/pvh.h"

#include <stdlib.h>
#include <string.h>

static struct kvmap_operation operations[MACHINE_RING_CAPACITY];

/* The host's part: everything that it takes from no guest. */
static void give(struct machine *machine, struct fuzz_input *input)
{
	static char strings[MACHINE_RING_STRINGS];
	const struct machine_operations what = {
		.items = operations,
		.count = (uint32_t)fuzz_number(input, 2) % (MACHINE_RING_CAPACITY + 1),
		.strings = strings,
		.strings_size = (uint32_t)fuzz_number(input, 2) % (MACHINE_RING_STRINGS + 1),
		.names = strings,
		.names_size = (uint32_t)fuzz_number(input, 2) % 0x4001,
	};
	uint32_t before = machine->ring_head;
	int waiting = machine_ring_waiting(machine);
	bool pushed = machine_ring_push(machine, &what);

	fuzz_expect(!pushed || waiting == 0);
	fuzz_expect(machine->ring_head - before == (pushed ? what.count : 0));
}

static void take_records(struct machine *machine)
{
	struct kvmap_record record;
	unsigned int count = 0;
	bool damaged;

	while (machine_next_record(machine, &record, &damaged))
		count++;
	fuzz_expect(count <= PVH_CHANNEL_CAPACITY);
}

/* The guest writes a number anywhere into ring or channel, headers most often. */
static void write_anywhere(struct machine *machine, struct fuzz_input *input)
{
	bool in_ring = fuzz_number(input, 1) & 1;
	uint8_t *start = machine->memory.bytes + (in_ring ? PVH_RING_GPA : PVH_CHANNEL_GPA);
	uint32_t size = in_ring ? machine_ring_size() : machine_channel_size();
	uint32_t offset = (uint32_t)fuzz_number(input, 3), value = (uint32_t)fuzz_number(input, 4);

	offset = offset & 1 ? offset % (size - 4) : offset % 64 & ~3u;
	memcpy(start + offset, &value, sizeof(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct machine machine = { .has_ring = true };
	int waiting;

	/* Nothing after the ring: an access beyond it is a sanitizer's error. */
	machine.memory.bytes = calloc(1, PVH_RING_GPA + machine_ring_size());
	fuzz_expect(machine.memory.bytes);
	machine_channel_open(&machine);
	machine_ring_open(&machine, (uint32_t)fuzz_number(&input, 4));
	while (input.left) {
		switch (fuzz_number(&input, 1) % 5) {
		case 0: give(&machine, &input); break;
		case 1: take_records(&machine); break;
		case 2: /* an end that may be right */
			((struct kvmap_ring *)(machine.memory.bytes + PVH_RING_GPA))->tail =
				machine.ring_tail + (uint32_t)fuzz_number(&input, 2);
			break;
		case 3: machine_ring_close(&machine); break;
		default: write_anywhere(&machine, &input); break;
		}
		waiting = machine_ring_waiting(&machine);
		fuzz_expect(waiting >= -1 && waiting <= MACHINE_RING_CAPACITY);
		fuzz_expect(machine.ring_head - machine.ring_tail <= MACHINE_RING_CAPACITY);
	}
	free(machine.memory.bytes);
	return 0;
}
