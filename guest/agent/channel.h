/* SPDX-License-Identifier: MIT */
/*
 * channel.h: the guest's end of the channel (kvmap/channel.h).
 */
#ifndef GUEST_AGENT_CHANNEL_H
#define GUEST_AGENT_CHANNEL_H

#include "kvmap/boot.h"
#include "kvmap/channel.h"
#include "lib/types.h"

/* Opens the channel of the boot record. False if its size is invalid. */
bool channel_open(const struct kvmap_boot *record);

bool channel_is_open(void);

/*
 * Held by one CPU from its first record, or line of the serial report, to the doorbell. Reports of an oops do
 * not take it, since its holder may never continue.
 */
void channel_lock(void);
void channel_unlock(void);

/* The next record to fill. The channel must be open. All fields are zero except type and cpu. */
struct kvmap_record *channel_record(u32 type);

/* Publishes the record of channel_record() to the host. */
void channel_send(void);

#endif
