/* SPDX-License-Identifier: MIT */
/*
 * witness.h: flushes as the CPUs' TLBs show them. One CPU, the initiator, changes page tables; all CPUs touch
 * the address before and after each step, and what they find is recorded.
 */
#ifndef TESTS_WITNESS_WITNESS_H
#define TESTS_WITNESS_WITNESS_H

#include "lib/types.h"

#define WITNESS_CPUS 8

/* A CPU number that none has. */
#define NO_CPU (~0u)

/* Values that witness_put() stores through the direct map. */
#define OLD_VALUE 0x1111111111111111
#define NEW_VALUE 0x2222222222222222

enum touch_kind { TOUCH_READ, TOUCH_WRITE, TOUCH_EXECUTE };

enum seen {
	SEEN_NOTHING, /* not touched */
	SEEN_FAULT,
	SEEN_OLD, /* a read of OLD_VALUE; a write or a call without a fault */
	SEEN_NEW, /* a read of NEW_VALUE */
	SEEN_OTHER
};

/* Which CPUs do the flush of a case. */
enum flush_mode {
	FLUSH_DONE,
	FLUSH_LEFT_OUT, /* on all CPUs */
	FLUSH_NOT_BY    /* on all CPUs but one */
};

/* A way to take a mapping or a right away. Each returns false without memory. */
struct witness_case {
	const char *name;
	enum touch_kind kind;
	bool others_idle; /* CPUs that do not flush are idle when the flush comes */
	bool reused;      /* other page frames come under the same address after the flush */
	bool (*map)(void);
	void (*unmap)(void); /* flushes, at the latest when it returns */
	bool (*map_again)(void);
	void (*end)(void); /* frees everything */
};

/* One attempt: what each CPU has seen. */
struct attempt {
	const struct witness_case *which;
	enum flush_mode mode;
	u32 initiator, not_by;
	bool watched;                   /* a flush of the address came */
	enum seen warm[WITNESS_CPUS];   /* mapped */
	enum seen before[WITNESS_CPUS]; /* unmapped, before the flush */
	enum seen after[WITNESS_CPUS];  /* after it */
	enum seen again[WITNESS_CPUS];  /* mapped again to another frame; only with which->reused */
};

extern const struct witness_case witness_cases[];
extern const u32 witness_nr_cases;

/* The address that is touched. Set by map(). */
extern u64 witness_address;

/* Stores a value at the address's frame, through the direct map. */
void witness_put(u64 value);

/* Runs an attempt on all CPUs. Called on CPU 0. False without memory. */
bool witness_attempt(struct attempt *attempt);

#endif
