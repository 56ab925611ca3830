/* SPDX-License-Identifier: MIT */
/*
 * witness.c: attempts. All CPUs run: the initiator in map(), unmap() and map_again() of a case, the others in
 * a loop that touches the address whenever the initiator requests it. With others_idle CPU 0 is the initiator,
 * and the others are idle except while they touch: they defer the flush until they wake.
 */
#include "witness.h"
#include "arch/access.h"
#include "arch/percpu.h"
#include "arch/smp.h"
#include "arch/x86_64/smp.h"
#include "arch/x86_64/tlb.h"
#include "mm/arch.h"

void __wrap_arch_flush_ranges(const struct tlb_range *ranges, u32 nr);
void __real_arch_flush_ranges(const struct tlb_range *ranges, u32 nr);
void __wrap_tlb_flush_local(const struct tlb_range *ranges, u32 nr);
void __real_tlb_flush_local(const struct tlb_range *ranges, u32 nr);
bool __wrap_cpu_defer_flush(struct cpu *cpu);
bool __real_cpu_defer_flush(struct cpu *cpu);

u64 witness_address;

static struct attempt *current;
static bool failed;

/* CPU that does not flush in the round in progress; NO_CPU = all do. */
static u32 not_by = NO_CPU;

/* The initiator's requests. `number` increments with each; the last one has `leave`. */
static struct {
	u32 number, done;
	bool leave;
	enum seen *seen;
} request;

/* ---- touching ---- */

static enum seen touch(void)
{
	u64 value = 0;

	switch (current->which->kind) {
	case TOUCH_WRITE: return access_write(witness_address, OLD_VALUE) ? SEEN_FAULT : SEEN_OLD;
	case TOUCH_EXECUTE: return access_call(witness_address) ? SEEN_FAULT : SEEN_OLD;
	default: break;
	}
	if (access_read(witness_address, &value))
		return SEEN_FAULT;
	return value == OLD_VALUE ? SEEN_OLD : value == NEW_VALUE ? SEEN_NEW : SEEN_OTHER;
}

/* Serves the initiator's requests until the last one. Flushes of rounds come by interrupts. */
static void serve(void)
{
	u32 served = 0;

	for (;;) {
		u32 number = __atomic_load_n(&request.number, __ATOMIC_ACQUIRE);

		if (number == served) {
			arch_relax();
			continue;
		}
		served = number;
		if (!request.leave)
			request.seen[arch_cpu()] = touch();
		__atomic_add_fetch(&request.done, 1, __ATOMIC_RELEASE);
		if (request.leave)
			return;
	}
}

static void request_wait(void)
{
	__atomic_store_n(&request.done, 0, __ATOMIC_RELAXED);
	__atomic_add_fetch(&request.number, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&request.done, __ATOMIC_ACQUIRE) != arch_nr_cpus - 1)
		arch_relax();
}

static void touch_here(void *seen)
{
	((enum seen *)seen)[arch_cpu()] = touch();
}

static void touch_all(enum seen *seen)
{
	if (current->which->others_idle) {
		smp_call_many((1ul << arch_nr_cpus) - 1, touch_here, seen);
		return;
	}
	request.seen = seen;
	request_wait();
	seen[arch_cpu()] = touch();
}

/* ---- flushes of this guest ---- */

static bool covers(const struct tlb_range *ranges, u32 nr, u64 address)
{
	for (u32 i = 0; i < nr; i++)
		if (address >= ranges[i].start && address < ranges[i].end)
			return true;
	return !nr;
}

/*
 * Called by arch_flush_ranges() of more than one CPU, on the initiator. The other CPU that is left out needs none:
 * cpu_defer_flush() requests nothing from it.
 */
void __wrap_tlb_flush_local(const struct tlb_range *ranges, u32 nr)
{
	if (not_by != arch_cpu())
		__real_tlb_flush_local(ranges, nr);
}

/* The other CPU gets neither an interrupt nor a deferred flush. */
bool __wrap_cpu_defer_flush(struct cpu *cpu)
{
	return not_by == cpu->number || __real_cpu_defer_flush(cpu);
}

/* The first flush of the address in an attempt. */
static void flush_watched(const struct tlb_range *ranges, u32 nr)
{
	current->watched = true;
	touch_all(current->before);
	if (current->mode == FLUSH_NOT_BY)
		not_by = current->not_by;
	if (current->mode != FLUSH_LEFT_OUT)
		__real_arch_flush_ranges(ranges, nr);
	not_by = NO_CPU;
	touch_all(current->after);
}

void __wrap_arch_flush_ranges(const struct tlb_range *ranges, u32 nr)
{
	if (current && !current->watched && covers(ranges, nr, witness_address))
		flush_watched(ranges, nr);
	else
		__real_arch_flush_ranges(ranges, nr);
}

/* ---- attempts ---- */

static void initiate(void)
{
	const struct witness_case *which = current->which;

	/* Until then no flush is watched. */
	current->watched = true;
	failed = !which->map();
	if (!failed) {
		touch_all(current->warm);
		current->watched = false;
		which->unmap();
		if (which->reused && which->map_again())
			touch_all(current->again);
	}
	current->watched = true;
	/* A translation that is still there must not reach the next attempt. */
	__real_arch_flush_ranges(NULL, 0);
	which->end();
}

static void take_part(void *unused)
{
	(void)unused;
	if (arch_cpu() != current->initiator) {
		serve();
		return;
	}
	initiate();
	request.leave = true;
	request_wait();
}

bool witness_attempt(struct attempt *attempt)
{
	current = attempt;
	request.number = 0;
	request.leave = false;
	if (attempt->which->others_idle)
		initiate();
	else
		smp_call_many((1ul << arch_nr_cpus) - 1, take_part, NULL);
	current = NULL;
	return !failed;
}
