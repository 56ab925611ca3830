/* SPDX-License-Identifier: MIT */
/*
 * The channel with every head that a guest can write.
 */
#include "machine/machine_internal.h"
#include "machine/pvh.h"
#include "text.h"

#include <stdlib.h>

static struct machine machine;
static struct kvmap_channel *ring;
static struct kvmap_record record;
static bool damaged;

/* No byte of guest memory after the channel: a read beyond it is a sanitizer's error. */
static void prepare(void)
{
	machine.memory.bytes = calloc(1, PVH_CHANNEL_GPA + machine_channel_size());
	cr_assert(ne(ptr, machine.memory.bytes, NULL));
	ring = (struct kvmap_channel *)(machine.memory.bytes + PVH_CHANNEL_GPA);
	machine_channel_open(&machine);
	for (uint32_t i = 0; i < PVH_CHANNEL_CAPACITY; i++)
		ring->record[i].operation = i;
}

static void finish(void)
{
	free(machine.memory.bytes);
}

TestSuite(channel, .init = prepare, .fini = finish);

/* Reads all records: their number. */
static unsigned int drain(void)
{
	unsigned int count = 0;

	while (machine_next_record(&machine, &record, &damaged))
		count++;
	return count;
}

Test(channel, an_open_channel_is_empty)
{
	cr_expect(eq(u32, ring->capacity, PVH_CHANNEL_CAPACITY));
	cr_expect(eq(uint, drain(), 0));
	cr_expect(not(damaged));
}

Test(channel, a_head_that_wraps_is_followed)
{
	machine.channel_tail = UINT32_MAX - 1;
	ring->head = 2;
	for (uint32_t wanted = PVH_CHANNEL_CAPACITY - 2; wanted < PVH_CHANNEL_CAPACITY + 2; wanted++) {
		cr_assert(machine_next_record(&machine, &record, &damaged));
		cr_expect(eq(u32, record.operation, wanted % PVH_CHANNEL_CAPACITY));
	}
	cr_expect(eq(uint, drain(), 0));
	cr_expect(eq(u32, ring->tail, 2));
}

Test(channel, more_than_fits_is_damage_wherever_the_tail_is)
{
	static const uint32_t tails[] = { 0, 1, PVH_CHANNEL_CAPACITY, UINT32_MAX };
	static const uint32_t waiting[] = { PVH_CHANNEL_CAPACITY + 1, 0x7fffffff, 0x80000000, UINT32_MAX };

	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < 4; j++) {
			machine.channel_tail = tails[i];
			ring->head = tails[i] + waiting[j];
			damaged = false;
			cr_expect(not(machine_next_record(&machine, &record, &damaged)));
			cr_expect(damaged);
			/* The next records are read again. */
			cr_expect(eq(u32, ring->tail, ring->head));
			ring->head++;
			cr_expect(eq(uint, drain(), 1));
			cr_expect(not(damaged));
		}
	}
}

Test(channel, a_full_channel_is_not_damage)
{
	machine.channel_tail = 5;
	ring->head = 5 + PVH_CHANNEL_CAPACITY;
	cr_expect(eq(uint, drain(), PVH_CHANNEL_CAPACITY));
	cr_expect(not(damaged));
}

/* A record is copied: what the guest writes later does not change it. */
Test(channel, a_record_does_not_change_after_it_was_read)
{
	ring->head = 1;
	ring->record[0].operation = 7;
	cr_assert(machine_next_record(&machine, &record, &damaged));
	ring->record[0].operation = 8;
	ring->capacity = 0;
	ring->tail = 99;
	cr_expect(eq(u32, record.operation, 7));
	cr_expect(eq(uint, drain(), 0));
	cr_expect(eq(u32, ring->tail, 1));
}
