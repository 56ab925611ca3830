/* SPDX-License-Identifier: MIT */
#include "agent/ring.h"
#include "agent/agent.h"
#include "agent/operations.h"
#include "agent/variables.h"
#include "kvmap/layout.h"
#include "kvmap/ports.h"
#include "kvmap/ring.h"
#include "lib/platform.h"
#include "mm/direct_map.h"

static volatile struct kvmap_ring *ring;

/* Whether `count` elements of `each` bytes at `offset` lie inside the ring. */
static bool is_inside(u32 size, u32 offset, u32 count, u64 each)
{
	return offset <= size && count <= (size - offset) / each;
}

bool ring_open(const struct kvmap_boot *record)
{
	u32 capacity;

	if (record->ring_size < sizeof(*ring) || record->ring_gpa >= KVMAP_LOW_RESERVED ||
	    record->ring_gpa + record->ring_size > KVMAP_LOW_RESERVED)
		return false;
	ring = __va(record->ring_gpa);
	capacity = ring->capacity;
	return capacity && !(capacity & (capacity - 1)) &&
	       is_inside(record->ring_size, sizeof(*ring), capacity, sizeof(struct kvmap_operation));
}

/* Takes over what came with the newest operations. */
static void take_strings(void)
{
	u32 offset = ring->strings_offset, size = ring->strings_size, variables = ring->variable_count;

	agent.strings_size = 0;
	if (is_inside(agent.record->ring_size, offset, size, 1)) {
		agent.strings = (const char *)ring + offset;
		agent.strings_size = size;
	}
	if (variables > agent_nr_variables && variables <= KVMAP_VARIABLES_MAX)
		agent_nr_variables = variables;
}

void ring_run(void)
{
	u32 next = ring->tail;

	agent.mask = ring->capacity - 1;
	agent.operations = (const struct kvmap_operation *)ring->operation;
	for (;;) {
		/* The operations were written before `head`; this CPU does not reorder loads. */
		agent.end = ring->head;
		agent.first = next;
		if (next == agent.end) {
			if (ring->closed)
				return;
			doorbell_ring(KVMAP_DOORBELL_IDLE);
			continue;
		}
		asm volatile("" : : : "memory");
		take_strings();
		while (next != agent.end) {
			agent.first = next;
			next += operation_run(operation_at(next));
			ring->tail = next;
		}
	}
}
