/* SPDX-License-Identifier: MIT */
/*
 * guest.h: a guest of the test: page tables, two CPUs, and an event log that the test writes.
 */
#ifndef TESTS_UNIT_HISTORY_GUEST_H
#define TESTS_UNIT_HISTORY_GUEST_H

#include "history/history.h"
#include "kvmap/event_log.h"
#include "kvmap/layout.h"
#include "tables.h"

#include <criterion/criterion.h>

#define CPUS        2
#define LOG_GPA     0x300000ull
#define LOG_SIZE    0x4000u
#define SECOND_SIZE 0x400u

/* A page of the vmalloc space, and a frame. */
#define PAGE(n)  (KVMAP_VMALLOC_START + (uint64_t)(n)*K4)
#define FRAME(n) (0x1000000ull + (uint64_t)(n)*K4)
/* Present, writable, not executable. */
#define ENTRY(n) (FRAME(n) | 0x8000000000000003ull)

struct guest {
	struct tables tables;
	struct history *history;
	struct error error;
	uint32_t seq; /* of the newest record */
};

/* policy: enum kvmap_policy. Page 0 maps frame 0; then the log begins. CPU 1 is not idle. */
void guest_start(struct guest *guest, uint32_t policy);
void guest_end(struct guest *guest);

struct kvmap_log *guest_log(struct guest *guest, unsigned int cpu, bool second);

/* Appends a record, with the next number. Returns it, until the next one. */
struct kvmap_log_record *guest_record(struct guest *guest, unsigned int cpu, uint64_t what, uint32_t count,
				      const struct kvmap_log_pair *pairs);
/* The same of one pair, and of none with a number. */
void guest_pair(struct guest *guest, unsigned int cpu, uint64_t what, uint64_t first, uint64_t second);
void guest_number(struct guest *guest, unsigned int cpu, uint64_t kind, uint64_t number);

/* A store to the entry of page `page`: done, and logged. flags: KVMAP_LOG_OWN or 0. */
void guest_store(struct guest *guest, unsigned int cpu, unsigned int page, uint64_t value, uint64_t flags);
/* A flush of page `page` by the CPU; begun: the newest record before it. */
void guest_flush(struct guest *guest, unsigned int cpu, unsigned int page, uint32_t begun);
/* A flush of everything. */
void guest_flush_all(struct guest *guest, unsigned int cpu);

/* New findings of history_take() and history_stop(). */
const struct history_findings *guest_take(struct guest *guest);
const struct history_findings *guest_stop(struct guest *guest);

/* The only finding of a stop, of that kind. Ends the guest. */
struct history_finding guest_expect(struct guest *guest, enum history_kind kind);
/* A stop has no finding. Ends the guest. */
void guest_expect_clean(struct guest *guest);

#endif
