/* SPDX-License-Identifier: MIT */
/*
 * The ring of operations, with every end that a guest can write.
 */
#include "machine/machine_internal.h"
#include "machine/pvh.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static struct machine machine;
static struct kvmap_ring *ring;
static struct kvmap_operation operations[MACHINE_RING_CAPACITY + 1];

/* No byte of guest memory after the ring: a write beyond it is a sanitizer's error. */
static void prepare(void)
{
	machine = (struct machine){ 0 };
	machine.memory.bytes = calloc(1, PVH_RING_GPA + machine_ring_size());
	cr_assert(ne(ptr, machine.memory.bytes, NULL));
	ring = (struct kvmap_ring *)(machine.memory.bytes + PVH_RING_GPA);
	machine_ring_open(&machine, 0);
	for (uint32_t i = 0; i <= MACHINE_RING_CAPACITY; i++)
		operations[i].line = i;
}

static void finish(void)
{
	free(machine.memory.bytes);
}

TestSuite(ring, .init = prepare, .fini = finish);

static bool push(uint32_t count)
{
	return machine_ring_push(&machine,
				 &(struct machine_operations){ .items = operations, .count = count });
}

Test(ring, an_open_ring_is_empty_and_begins_after_the_operations_of_the_module)
{
	machine_ring_open(&machine, 7);
	cr_expect(eq(u32, ring->capacity, MACHINE_RING_CAPACITY));
	cr_expect(eq(u32, ring->head, 7));
	cr_expect(eq(u32, ring->tail, 7));
	cr_expect(eq(u32, ring->closed, 0));
	cr_expect(eq(int, machine_ring_waiting(&machine), 0));
}

Test(ring, operations_wait_until_the_guest_has_done_them)
{
	cr_assert(push(3));
	cr_expect(eq(u32, ring->head, 3));
	cr_expect(eq(u32, ring->operation[2].line, 2));
	cr_expect(eq(int, machine_ring_waiting(&machine), 3));
	ring->tail = 2;
	cr_expect(eq(int, machine_ring_waiting(&machine), 1));
	ring->tail = 3;
	cr_expect(eq(int, machine_ring_waiting(&machine), 0));
}

Test(ring, a_full_ring_wraps_at_its_end)
{
	machine_ring_open(&machine, UINT32_MAX - 1);
	cr_assert(push(MACHINE_RING_CAPACITY));
	cr_expect(eq(u32, ring->head, MACHINE_RING_CAPACITY - 2));
	cr_expect(eq(u32, ring->operation[MACHINE_RING_CAPACITY - 2].line, 0));
	cr_expect(eq(u32, ring->operation[0].line, 2));
	cr_expect(eq(int, machine_ring_waiting(&machine), MACHINE_RING_CAPACITY));
	ring->tail = 0;
	cr_expect(eq(int, machine_ring_waiting(&machine), MACHINE_RING_CAPACITY - 2));
}

Test(ring, too_many_operations_are_not_taken)
{
	cr_expect(not(push(MACHINE_RING_CAPACITY + 1)));
	cr_expect(eq(u32, ring->head, 0));
}

Test(ring, operations_are_not_taken_before_the_earlier_ones_are_done)
{
	cr_assert(push(2));
	cr_expect(not(push(1)));
	ring->tail = 2;
	cr_expect(push(1));
	cr_expect(eq(u32, ring->head, 3));
}

Test(ring, an_end_that_is_not_between_the_last_one_and_the_head_is_damage)
{
	static const uint32_t ends[] = { 1, 5, 9, 11, 4096, 0x80000000, UINT32_MAX };

	machine_ring_open(&machine, 0);
	cr_assert(push(10));
	ring->tail = 4;
	cr_expect(eq(int, machine_ring_waiting(&machine), 6));
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		bool valid = ends[i] >= 4 && ends[i] <= 10;

		machine.ring_tail = 4;
		ring->tail = ends[i];
		cr_expect(eq(int, machine_ring_waiting(&machine), valid ? (int)(10 - ends[i]) : -1), "%u",
			  ends[i]);
		cr_expect(not(push(1)));
	}
}

Test(ring, what_the_guest_writes_changes_nothing_of_the_hosts)
{
	cr_assert(push(1));
	*ring = (struct kvmap_ring){ .capacity = 3, .head = 77, .tail = 1, .strings_offset = UINT32_MAX };
	cr_assert(push(5));
	cr_expect(eq(u32, ring->head, 6));
	cr_expect(eq(int, machine_ring_waiting(&machine), 5));
	cr_expect(eq(u32, ring->operation[5].line, 4));
	cr_expect(lt(u32, ring->strings_offset, machine_ring_size()));
}

Test(ring, strings_and_names_come_with_the_operations)
{
	static char strings[MACHINE_RING_STRINGS], names[KVMAP_VARIABLES_MAX * (KVMAP_VARIABLE_NAME_MAX + 1)];
	struct machine_operations most = {
		.items = operations,
		.count = MACHINE_RING_CAPACITY,
		.strings = strings,
		.strings_size = sizeof(strings),
		.names = names,
		.names_size = sizeof(names),
		.variable_count = KVMAP_VARIABLES_MAX,
	};

	memset(strings, 's', sizeof(strings));
	memset(names, 'n', sizeof(names));
	cr_assert(machine_ring_push(&machine, &most));
	cr_expect(eq(u32, ring->variable_count, KVMAP_VARIABLES_MAX));
	cr_expect(eq(int, memcmp((char *)ring + ring->strings_offset, strings, sizeof(strings)), 0));
	cr_expect(eq(int, memcmp((char *)ring + ring->names_offset, names, sizeof(names)), 0));
	cr_expect(eq(u32, ring->names_offset + ring->names_size, machine_ring_size()));
	ring->tail = ring->head;
	most.strings_size++;
	cr_expect(not(machine_ring_push(&machine, &most)));
	most.strings_size--;
	most.names_size++;
	cr_expect(not(machine_ring_push(&machine, &most)));
}

Test(ring, a_closed_ring_says_so)
{
	machine_ring_close(&machine);
	cr_expect(eq(u32, ring->closed, 1));
}
