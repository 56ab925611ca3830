/* SPDX-License-Identifier: MIT */
/*
 * run.c: attempts of every case, with its flush and with deliberate bugs, checked and printed as TAP on the
 * serial port. Replaces the script: agent_run() is wrapped.
 */
#include "witness.h"
#include "agent/agent.h"
#include "agent/report.h"
#include "agent/text.h"
#include "arch/cycles.h"
#include "arch/machine.h"
#include "arch/percpu.h"
#include "kvmap/ports.h"
#include "lib/platform.h"

_Noreturn void __wrap_agent_run(u64 entry_tsc);

/*
 * Attempts of a test for each choice of CPUs, in which each CPU had the translation before the flush: fewer
 * with more CPUs, of which there are more choices. Tries for each of them.
 */
#define ATTEMPTS(cpus) (1 + 40 / ((cpus) * (cpus)))
#define TRIES          30

static u32 tests;
static bool bad;

/* Counts of the attempts of one test. */
struct outcome {
	u32 attempts; /* in which each CPU had the translation before the flush */
	u32 seen;     /* of them: each CPU that did not flush still had it afterwards */
	u32 not_seen; /* combinations of CPUs for which no attempt has seen it */
	bool wrong;   /* a CPU that flushed had it afterwards */
	bool no_memory;
};

static bool is_left_out(const struct attempt *attempt, u32 cpu)
{
	return attempt->mode == FLUSH_LEFT_OUT || (attempt->mode == FLUSH_NOT_BY && attempt->not_by == cpu);
}

/* Each CPU used the translation when the mapping was there, and still before the flush. */
static bool had_all(const struct attempt *attempt)
{
	for (u32 cpu = 0; cpu < arch_nr_cpus; cpu++)
		if (attempt->warm[cpu] != SEEN_OLD || attempt->before[cpu] != SEEN_OLD)
			return false;
	return attempt->watched;
}

static bool flushed_is_right(const struct attempt *attempt, u32 cpu)
{
	enum seen after = attempt->after[cpu], again = attempt->again[cpu];

	return (after == SEEN_FAULT || after == SEEN_NOTHING) && (again == SEEN_NEW || again == SEEN_NOTHING);
}

/* Without reuse the fault that did not come; with it the old page frame under the new area's address. */
static bool is_stale(const struct attempt *attempt, u32 cpu)
{
	return attempt->after[cpu] == SEEN_OLD &&
	       (!attempt->which->reused || attempt->again[cpu] == SEEN_OLD);
}

/* Runs an attempt and adds it. */
static void attempt_add(struct outcome *outcome, const struct witness_case *which, enum flush_mode mode,
			u32 initiator, u32 not_by)
{
	struct attempt attempt = { .which = which, .mode = mode, .initiator = initiator, .not_by = not_by };
	bool stale = true;

	if (!witness_attempt(&attempt)) {
		outcome->no_memory = true;
		return;
	}
	for (u32 cpu = 0; cpu < arch_nr_cpus; cpu++) {
		if (is_left_out(&attempt, cpu))
			stale &= is_stale(&attempt, cpu);
		else
			outcome->wrong |= !flushed_is_right(&attempt, cpu);
	}
	if (had_all(&attempt)) {
		outcome->attempts++;
		outcome->seen += stale;
	}
}

static void print_counts(u32 seen, u32 attempts)
{
	text(", ");
	text_decimal(seen);
	text(" of ");
	text_decimal(attempts);
	text(" attempts\n");
}

static void print(const struct witness_case *which, const struct outcome *outcome, const char *what)
{
	bool right = !outcome->wrong && !outcome->no_memory && !outcome->not_seen;

	bad |= !right;
	text(right ? "ok " : "not ok ");
	text_decimal(++tests);
	text(" - ");
	text(which->name);
	text(": ");
	text(what);
	print_counts(outcome->seen, outcome->attempts);
	if (outcome->no_memory)
		text("# not enough memory\n");
	if (outcome->wrong)
		text("# a CPU that flushed still has the translation\n");
	if (outcome->not_seen)
		text("# no attempt has shown the translation of some CPU\n");
}

/* CPU 0 alone initiates where the others are idle. */
static u32 initiators(const struct witness_case *which)
{
	return which->others_idle ? 1 : arch_nr_cpus;
}

/*
 * Attempts with one choice of CPUs. A CPU may lose a translation by itself, to another one that takes its place, so
 * the attempts with a bug go on until one has shown it.
 */
static void attempts_add(struct outcome *outcome, const struct witness_case *which, enum flush_mode mode,
			 u32 initiator, u32 not_by)
{
	u32 wanted = outcome->attempts + ATTEMPTS(arch_nr_cpus), seen = outcome->seen;

	for (u32 i = 0; i < TRIES * ATTEMPTS(arch_nr_cpus) &&
			(outcome->attempts < wanted || (mode != FLUSH_DONE && outcome->seen == seen));
	     i++)
		attempt_add(outcome, which, mode, initiator, not_by);
	outcome->not_seen += seen == outcome->seen;
}

static void test_done(const struct witness_case *which)
{
	struct outcome outcome = { 0 };

	for (u32 i = 0; i < initiators(which); i++)
		attempts_add(&outcome, which, FLUSH_DONE, i, NO_CPU);
	print(which, &outcome, "after the flush no CPU has the translation that all had before it");
}

static void test_left_out(const struct witness_case *which)
{
	struct outcome outcome = { 0 };

	for (u32 i = 0; i < initiators(which); i++)
		attempts_add(&outcome, which, FLUSH_LEFT_OUT, i, NO_CPU);
	print(which, &outcome, "without the flush every CPU still has it");
}

static void test_not_by(const struct witness_case *which)
{
	struct outcome outcome = { 0 };

	for (u32 i = 0; i < initiators(which); i++)
		for (u32 cpu = 0; cpu < arch_nr_cpus; cpu++)
			if (cpu != i)
				attempts_add(&outcome, which, FLUSH_NOT_BY, i, cpu);
	print(which, &outcome, "a CPU that the flush leaves out still has it, the others do not");
}

static void test_not_by_itself(const struct witness_case *which)
{
	struct outcome outcome = { 0 };

	for (u32 i = 0; i < initiators(which); i++)
		attempts_add(&outcome, which, FLUSH_NOT_BY, i, i);
	print(which, &outcome, "a CPU that interrupts the others and does not flush still has it");
}

static bool is_runnable(const struct witness_case *which)
{
	return arch_nr_cpus > 1 || !which->others_idle;
}

_Noreturn void __wrap_agent_run(u64 entry_tsc)
{
	u64 hello_tsc = get_cycles();

	if (arch_nr_cpus > WITNESS_CPUS)
		panic("the witness has no room for that many CPUs");
	report_hello(hello_tsc - entry_tsc);
	text("\n");
	for (u32 i = 0; i < witness_nr_cases; i++) {
		if (!is_runnable(&witness_cases[i]))
			continue;
		test_done(&witness_cases[i]);
		test_left_out(&witness_cases[i]);
		if (arch_nr_cpus == 1)
			continue;
		test_not_by(&witness_cases[i]);
		test_not_by_itself(&witness_cases[i]);
	}
	text("1..");
	text_decimal(tests);
	text("\n");
	report_bye(hello_tsc, bad ? KVMAP_EXIT_REFUSED : KVMAP_EXIT_OK);
	machine_exit(bad ? KVMAP_EXIT_REFUSED : KVMAP_EXIT_OK);
}
