/* SPDX-License-Identifier: MIT */
/*
 * channel.c: reads records that the guest writes. The guest is not trusted: the host keeps its own tail, reads
 * the head once, and copies a record before it is parsed.
 */
#include "machine/machine_internal.h"
#include "machine/pvh.h"

#include <string.h>

#define CHANNEL_SIZE (sizeof(struct kvmap_channel) + PVH_CHANNEL_CAPACITY * sizeof(struct kvmap_record))

static_assert((PVH_CHANNEL_CAPACITY & (PVH_CHANNEL_CAPACITY - 1)) == 0, "a power of two");
static_assert(PVH_CHANNEL_GPA + CHANNEL_SIZE <= GUEST_LOW_END, "the channel lies in low RAM");

static struct kvmap_channel *channel_of(const struct machine *machine)
{
	return (struct kvmap_channel *)(machine->memory.bytes + PVH_CHANNEL_GPA);
}

uint32_t machine_channel_size(void)
{
	return CHANNEL_SIZE;
}

void machine_channel_open(struct machine *machine)
{
	*channel_of(machine) = (struct kvmap_channel){ .capacity = PVH_CHANNEL_CAPACITY };
	machine->channel_tail = 0;
}

bool machine_next_record(struct machine *machine, struct kvmap_record *out, bool *damaged_out)
{
	struct kvmap_channel *channel = channel_of(machine);
	uint32_t head = __atomic_load_n(&channel->head, __ATOMIC_ACQUIRE);
	uint32_t waiting = head - machine->channel_tail;

	*damaged_out = waiting > PVH_CHANNEL_CAPACITY;
	if (*damaged_out)
		machine->channel_tail = head;
	else if (waiting)
		memcpy(out, &channel->record[machine->channel_tail++ % PVH_CHANNEL_CAPACITY], sizeof(*out));
	__atomic_store_n(&channel->tail, machine->channel_tail, __ATOMIC_RELEASE);
	return waiting && !*damaged_out;
}
