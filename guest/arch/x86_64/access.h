/* SPDX-License-Identifier: MIT */
/*
 * access.h: accesses to memory that may fault. A fault ends the access and is kept in this CPU's struct cpu;
 * the kernel goes on.
 */
#ifndef GUEST_ARCH_ACCESS_H
#define GUEST_ARCH_ACCESS_H

#include "lib/types.h"

struct registers;

/* Each returns 0, or 1 when the access faulted: struct cpu then says how. Addresses may be any 64-bit
 * number. */
u32 access_read(u64 address, u64 *value_out);
u32 access_write(u64 address, u64 value);
u32 access_call(u64 address);

/* Stores value `words` times. */
u32 access_fill(u64 address, u64 value, u64 words);

/* *different_out: the address of the first of `words` words that is not value, 0 if there is none. */
u32 access_compare(u64 address, u64 value, u64 words, u64 *different_out);

/*
 * Drops this CPU's translation of the address's page, so that the next access is answered by the tables and
 * not by what a TLB still holds until the purge. Not logged: nothing may be used again because of it.
 */
void access_forget(u64 address);

/* For traps.c: true if the fault was an access's; the registers are then those to go on with. */
bool access_resume(struct registers *registers, u64 fault_address);

#endif
