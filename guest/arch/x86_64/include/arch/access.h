/* SPDX-License-Identifier: MIT */
/*
 * access.h: memory accesses that may fault. A fault ends the access, and the kernel goes on.
 */
#ifndef GUEST_ARCH_PUBLIC_ACCESS_H
#define GUEST_ARCH_PUBLIC_ACCESS_H

#include "lib/types.h"

/*
 * Each of these returns 0, or 1 if the access faulted; access_last_fault() then describes the fault.
 * `address` is any 64-bit value.
 */
u32 access_read(u64 address, u64 *value_out);
u32 access_write(u64 address, u64 value);
u32 access_call(u64 address);

/* Stores `value` into `words` 8-byte words. */
u32 access_fill(u64 address, u64 value, u64 words);

/* *different_out: address of the first of `words` words that differs from `value`; 0 if all are equal. */
u32 access_compare(u64 address, u64 value, u64 words, u64 *different_out);

/* A faulted access. */
struct access_fault {
	u64 address;
	u64 rip;
	u64 error_code; /* of #PF */
};

/* The last access of this CPU that faulted. Offsets: arch/x86_64/percpu.h. */
static inline struct access_fault access_last_fault(void)
{
	struct access_fault fault;

	asm volatile("mov %%gs:cpus + 48, %0" : "=r"(fault.address));
	asm volatile("mov %%gs:cpus + 56, %0" : "=r"(fault.rip));
	asm volatile("mov %%gs:cpus + 64, %0" : "=r"(fault.error_code));
	return fault;
}

/*
 * Invalidates this CPU's translation of the page of `address`, so that the next access walks the page tables.
 * Not logged as a flush: it must not permit the reuse of any range or frame.
 */
void access_invalidate(u64 address);

#endif
