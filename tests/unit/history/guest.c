/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include "base/x86.h"

#include <string.h>

/* Operation 7 promises a flush. */
static enum history_promise promise(void *context, uint64_t operation)
{
	(void)context;
	return operation == 7 ? HISTORY_PROMISES_PURGE : HISTORY_PROMISES_NOTHING;
}

struct kvmap_log *guest_log(struct guest *guest, unsigned int cpu, bool second)
{
	uint64_t gpa = LOG_GPA + cpu * (LOG_SIZE + SECOND_SIZE) + (second ? LOG_SIZE : 0);

	return (struct kvmap_log *)(void *)(guest->tables.low + gpa);
}

static void log_init(struct kvmap_log *log, uint64_t gpa)
{
	log->next = KVMAP_DIRECT_BASE + gpa + sizeof(*log);
	log->laps = 0;
}

void guest_start(struct guest *guest, uint32_t policy)
{
	const struct history_config config = {
		.cpus = CPUS,
		.policy = policy,
		.place = { LOG_GPA, LOG_SIZE, SECOND_SIZE },
		.promise = promise,
	};

	*guest = (struct guest){ 0 };
	tables_init(&guest->tables, 4);
	tables_map(&guest->tables, PAGE(0), FRAME(0), 1, PTE_W | PTE_NX);
	cr_assert_eq(view_set_cpus(&guest->tables.view, CPUS, &guest->error), 0);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		struct view_cpu *registers = &guest->tables.view.cpus[cpu];
		uint64_t gpa = LOG_GPA + cpu * (LOG_SIZE + SECOND_SIZE);

		registers->cr0 = CR0_PG | CR0_WP;
		registers->cr4 = CR4_PAE | CR4_PGE;
		registers->cr3 = guest->tables.mode.root;
		log_init(guest_log(guest, cpu, false), gpa);
		log_init(guest_log(guest, cpu, true), gpa + LOG_SIZE);
	}
	cr_assert_eq(history_create(&config, &guest->history, &guest->error), 0);
	cr_assert_not(history_has_begun(guest->history));
	cr_assert_eq(guest_take(guest)->count, 0);
	cr_assert(history_has_begun(guest->history));
}

void guest_end(struct guest *guest)
{
	history_destroy(guest->history);
	tables_destroy(&guest->tables);
}

static struct kvmap_log_record *append(struct guest *guest, struct kvmap_log *log, uint64_t what,
				       uint32_t count, const struct kvmap_log_pair *pairs)
{
	uint8_t *at = guest->tables.low + (log->next - KVMAP_DIRECT_BASE);
	struct kvmap_log_record *record = (struct kvmap_log_record *)(void *)at;

	record->what = what;
	record->seq = ++guest->seq;
	record->count = count;
	memcpy(record->pair, pairs, count * sizeof(*pairs));
	log->next += sizeof(*record) + count * sizeof(*pairs);
	return record;
}

struct kvmap_log_record *guest_record(struct guest *guest, unsigned int cpu, uint64_t what, uint32_t count,
				      const struct kvmap_log_pair *pairs)
{
	static const struct kvmap_log_pair none;

	return append(guest, guest_log(guest, cpu, false), what, count, pairs ? pairs : &none);
}

void guest_pair(struct guest *guest, unsigned int cpu, uint64_t what, uint64_t first, uint64_t second)
{
	const struct kvmap_log_pair pair = { first, second };

	guest_record(guest, cpu, what, 1, &pair);
}

void guest_number(struct guest *guest, unsigned int cpu, uint64_t kind, uint64_t number)
{
	guest_record(guest, cpu, kind | number << 12, 0, NULL);
}

void guest_store(struct guest *guest, unsigned int cpu, unsigned int page, uint64_t value, uint64_t flags)
{
	uint64_t *entry = tables_entry(&guest->tables, PAGE(page), 1), old = *entry;

	*entry = value;
	guest_pair(guest, cpu, PAGE(page) | KVMAP_LOG_STORE | KVMAP_LOG_LEVEL(1) | flags, old, value);
}

void guest_flush(struct guest *guest, unsigned int cpu, unsigned int page, uint32_t begun)
{
	guest_pair(guest, cpu, PAGE(page) | KVMAP_LOG_FLUSH, PAGE(page + 1), begun);
}

void guest_flush_all(struct guest *guest, unsigned int cpu)
{
	guest_pair(guest, cpu, KVMAP_LOG_FLUSH, UINT64_MAX, guest->seq);
}

const struct history_findings *guest_take(struct guest *guest)
{
	cr_assert_eq(history_take(guest->history, &guest->tables.view, &guest->error), 0, "%s",
		     guest->error.text);
	return history_new_findings(guest->history);
}

const struct history_findings *guest_stop(struct guest *guest)
{
	cr_assert_eq(history_stop(guest->history, &guest->tables.view, &guest->error), 0, "%s",
		     guest->error.text);
	return history_new_findings(guest->history);
}

struct history_finding guest_expect(struct guest *guest, enum history_kind kind)
{
	const struct history_findings *findings = guest_stop(guest);
	struct history_finding finding = { 0 };

	cr_expect_eq(findings->count, 1, "%zu findings", findings->count);
	if (findings->count)
		finding = findings->items[0];
	cr_expect_eq(finding.kind, kind);
	guest_end(guest);
	return finding;
}

void guest_expect_clean(struct guest *guest)
{
	cr_expect_eq(guest_stop(guest)->count, 0);
	guest_end(guest);
}
