/* SPDX-License-Identifier: MIT */
#include "agent/channel.h"
#include "arch/machine.h"
#include "arch/percpu.h"
#include "kvmap/layout.h"
#include "kvmap/ports.h"
#include "lib/platform.h"
#include "lib/spinlock.h"
#include "mm/direct_map.h"

static volatile struct kvmap_channel *channel;
static u32 capacity;
static struct spinlock lock;

bool channel_open(const struct kvmap_boot *record)
{
	volatile struct kvmap_channel *at = __va(record->channel_gpa);
	u64 room;

	if (record->channel_size < sizeof(*at) || record->channel_gpa >= KVMAP_LOW_RESERVED)
		return false;
	room = (record->channel_size - sizeof(*at)) / sizeof(struct kvmap_record);
	capacity = at->capacity;
	if (!capacity || capacity & (capacity - 1) || capacity > room)
		return false;
	channel = at;
	return true;
}

bool channel_is_open(void)
{
	return channel;
}

void channel_lock(void)
{
	spin_lock(&lock);
}

void channel_unlock(void)
{
	spin_unlock(&lock);
}

struct kvmap_record *channel_record(u32 type)
{
	struct kvmap_record *record;

	if (channel->head - channel->tail >= capacity)
		machine_doorbell(KVMAP_DOORBELL_DRAIN);
	record = (struct kvmap_record *)&channel->record[channel->head & (capacity - 1)];
	*record = (struct kvmap_record){ .type = (u16)type, .cpu = arch_cpu() };
	return record;
}

void channel_send(void)
{
	/*
	 * The host must see the record before the head. The CPU keeps the order of stores; the compiler must,
	 * too.
	 */
	asm volatile("" : : : "memory");
	channel->head = channel->head + 1;
}

void doorbell_ring(u32 bell)
{
	if (channel)
		machine_doorbell(bell);
}
