/* SPDX-License-Identifier: MIT */
/*
 * channel.h: the guest's end of the channel of include/kvmap/channel.h.
 */
#ifndef GUEST_AGENT_CHANNEL_H
#define GUEST_AGENT_CHANNEL_H

#include "kvmap/boot.h"
#include "kvmap/channel.h"
#include "lib/types.h"

/* Takes the channel that the record names. False, and no channel, if its size makes no sense. */
bool channel_open(const struct kvmap_boot *record);

bool channel_is_open(void);

/*
 * Records, and the lines of the serial report, are made by one CPU at a time, from the first to the doorbell.
 * The guest's last words are not: who holds the lock may never go on.
 */
void channel_lock(void);
void channel_unlock(void);

/* The record to fill next: call only while the channel is open. It is zero but for what is set here. */
struct kvmap_record *channel_record(u32 type);

/* Hands that record to the host. */
void channel_send(void);

#endif
