/* SPDX-License-Identifier: MIT */
/*
 * ring.c: the host's end of the ring of operations (kvmap/ring.h). The guest is not trusted: what the host wrote is
 * never read back, and the tail is read once and compared with what it can be.
 */
#include "machine/machine_internal.h"
#include "machine/pvh.h"

#include <string.h>

#define OPERATIONS_SIZE (MACHINE_RING_CAPACITY * sizeof(struct kvmap_operation))
#define STRINGS_OFFSET  (sizeof(struct kvmap_ring) + OPERATIONS_SIZE)
#define NAMES_OFFSET    (STRINGS_OFFSET + MACHINE_RING_STRINGS)
#define NAMES_SIZE      (KVMAP_VARIABLES_MAX * (KVMAP_VARIABLE_NAME_MAX + 1))
#define RING_SIZE       (NAMES_OFFSET + NAMES_SIZE)

static_assert((MACHINE_RING_CAPACITY & (MACHINE_RING_CAPACITY - 1)) == 0, "a power of two");
static_assert(PVH_RING_GPA + RING_SIZE <= PVH_LOG_GPA, "the ring lies below the event log");

static struct kvmap_ring *ring_of(const struct machine *machine)
{
	return (struct kvmap_ring *)(machine->memory.bytes + PVH_RING_GPA);
}

uint32_t machine_ring_size(void)
{
	return RING_SIZE;
}

void machine_ring_open(struct machine *machine, uint32_t first)
{
	*ring_of(machine) = (struct kvmap_ring){
		.capacity = MACHINE_RING_CAPACITY,
		.head = first,
		.tail = first,
		.strings_offset = STRINGS_OFFSET,
		.names_offset = NAMES_OFFSET,
	};
	machine->ring_head = machine->ring_tail = first;
}

int machine_ring_waiting(struct machine *machine)
{
	uint32_t tail = __atomic_load_n(&ring_of(machine)->tail, __ATOMIC_ACQUIRE);

	if (tail - machine->ring_tail > machine->ring_head - machine->ring_tail)
		return -1;
	machine->ring_tail = tail;
	return (int)(machine->ring_head - tail);
}

/* Replaces strings and names. The guest reads them only while it has operations. */
static void put_strings(struct machine *machine, const struct machine_operations *operations)
{
	struct kvmap_ring *ring = ring_of(machine);

	if (operations->strings_size)
		memcpy((uint8_t *)ring + STRINGS_OFFSET, operations->strings, operations->strings_size);
	if (operations->names_size)
		memcpy((uint8_t *)ring + NAMES_OFFSET, operations->names, operations->names_size);
	ring->strings_offset = STRINGS_OFFSET;
	ring->strings_size = operations->strings_size;
	ring->names_offset = NAMES_OFFSET;
	ring->names_size = operations->names_size;
	ring->variable_count = operations->variable_count;
}

bool machine_ring_push(struct machine *machine, const struct machine_operations *operations)
{
	struct kvmap_ring *ring = ring_of(machine);

	if (machine_ring_waiting(machine) != 0 || operations->count > MACHINE_RING_CAPACITY ||
	    operations->strings_size > MACHINE_RING_STRINGS || operations->names_size > NAMES_SIZE)
		return false;
	put_strings(machine, operations);
	for (uint32_t i = 0; i < operations->count; i++)
		ring->operation[(machine->ring_head + i) % MACHINE_RING_CAPACITY] = operations->items[i];
	machine->ring_head += operations->count;
	__atomic_store_n(&ring->head, machine->ring_head, __ATOMIC_RELEASE);
	return true;
}

void machine_ring_close(struct machine *machine)
{
	__atomic_store_n(&ring_of(machine)->closed, 1, __ATOMIC_RELEASE);
}
