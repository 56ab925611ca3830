/* SPDX-License-Identifier: MIT */
/*
 * fuzz_log.c: a guest that writes what it likes into its event log, its page tables and its registers, while the host takes
 * and compares them.
 *
 * Input: a byte of policy and CPUs, then steps of a byte that selects what is done, and its numbers.
 */
#include "fuzz.h"

#include "base/x86.h"
#include "history/history.h"
#include "kvmap/event_log.h"
#include "kvmap/layout.h"

#include <stdlib.h>
#include <string.h>

#define PAGE      0x1000ull
#define PAGES     16
#define LOG_GPA   (8 * PAGE)
#define LOG_SIZE  0x800u
#define SECOND    0x200u
#define CPUS_MAX  4
#define STEPS_MAX 400

struct guest {
	struct view view;
	uint8_t *memory;
	struct history *history;
	unsigned int cpus;
	uint32_t seq;
};

static uint64_t *entry_of(struct guest *guest, uint64_t page, uint64_t index)
{
	return (uint64_t *)(void *)(guest->memory + page * PAGE + index * 8);
}

static struct kvmap_log *log_of(struct guest *guest, uint64_t number)
{
	number %= 2ull * guest->cpus;
	return (struct kvmap_log *)(void *)(guest->memory + LOG_GPA + number / 2 * (LOG_SIZE + SECOND) +
					    (number & 1 ? LOG_SIZE : 0));
}

static void guest_create(struct guest *guest, struct fuzz_input *input)
{
	struct view_region region = { .size = PAGES * PAGE, .fd = -1 };
	struct history_config config = { .place = { LOG_GPA, LOG_SIZE, SECOND } };
	uint64_t mode = fuzz_number(input, 1);
	struct error error;

	guest->memory = aligned_alloc(PAGE, PAGES * PAGE);
	fuzz_expect(guest->memory);
	memset(guest->memory, 0, PAGES * PAGE);
	region.bytes = guest->memory;
	guest->cpus = 1 + mode % CPUS_MAX;
	config.cpus = guest->cpus;
	config.policy = (uint32_t)(mode / CPUS_MAX % 3);
	fuzz_expect(view_add_region(&guest->view, &region, &error) == 0);
	fuzz_expect(view_set_cpus(&guest->view, guest->cpus, &error) == 0);
	/* Page 1 is the top; the vmalloc space begins in its entry 402. */
	*entry_of(guest, 1, 402) = 2 * PAGE | PTE_P | PTE_W;
	*entry_of(guest, 2, 0) = 3 * PAGE | PTE_P | PTE_W;
	*entry_of(guest, 3, 0) = 4 * PAGE | PTE_P | PTE_W;
	for (unsigned int cpu = 0; cpu < guest->cpus; cpu++) {
		guest->view.cpus[cpu].cr0 = CR0_PG;
		guest->view.cpus[cpu].cr3 = PAGE;
		guest->view.cpus[cpu].cr4 = CR4_PAE | CR4_PGE;
	}
	for (unsigned int i = 0; i < 2 * guest->cpus; i++) {
		struct kvmap_log *log = log_of(guest, i);

		log->next = KVMAP_DIRECT_BASE + (uint64_t)((uint8_t *)log->record - guest->memory);
	}
	fuzz_expect(history_create(&config, &guest->history, &error) == 0);
}

/* A record that is mostly well-formed. */
static void add_record(struct guest *guest, struct fuzz_input *input)
{
	struct kvmap_log *log = log_of(guest, fuzz_number(input, 1));
	uint64_t at = log->next - KVMAP_DIRECT_BASE, what = fuzz_number(input, 8);
	uint32_t count = (uint32_t)fuzz_number(input, 1) % 5;
	struct kvmap_log_record *record;

	if (at < LOG_GPA || at > LOG_GPA + guest->cpus * (LOG_SIZE + SECOND) - 0x60 || at % 16)
		return;
	record = (struct kvmap_log_record *)(void *)(guest->memory + at);
	*record = (struct kvmap_log_record){ .what = what, .seq = ++guest->seq, .count = count };
	for (uint32_t i = 0; i < count; i++) {
		record->pair[i].first = fuzz_number(input, 8);
		record->pair[i].second = fuzz_number(input, 8);
	}
	log->next += sizeof(*record) + count * sizeof(record->pair[0]);
}

/* A number of the guest becomes another: of a log's header, of a page, of a register. */
static void write_anywhere(struct guest *guest, struct fuzz_input *input)
{
	uint64_t where = fuzz_number(input, 2), value = fuzz_number(input, 8);

	if (where & 1)
		memcpy((uint8_t *)log_of(guest, where >> 1) + (where >> 8) % 3 * 8, &value, 8);
	else if (where & 2)
		guest->view.cpus[where % guest->cpus].cr3 = value;
	else
		*entry_of(guest, where / 4 % PAGES, where / 64 % 512) = value;
}

static void inspect(struct guest *guest, bool stop)
{
	const struct history_findings *findings;
	struct error error;
	int result = stop ? history_stop(guest->history, &guest->view, &error)
			  : history_take(guest->history, &guest->view, &error);

	fuzz_expect(result == 0);
	findings = history_new_findings(guest->history);
	fuzz_expect(findings->count <= 4096);
	for (size_t i = 0; i < findings->count; i++)
		fuzz_expect(findings->items[i].cpu < CPUS_MAX || findings->items[i].kind == HISTORY_RULE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct guest guest = { 0 };

	guest_create(&guest, &input);
	for (unsigned int i = 0; i < STEPS_MAX && input.left; i++) {
		uint64_t step = fuzz_number(&input, 1);

		if (step < 160)
			add_record(&guest, &input);
		else if (step < 200)
			write_anywhere(&guest, &input);
		else
			inspect(&guest, step & 1);
	}
	inspect(&guest, true);
	history_destroy(guest.history);
	view_clear(&guest.view);
	free(guest.memory);
	return 0;
}
