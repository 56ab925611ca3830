/* SPDX-License-Identifier: MIT */
/*
 * fuzz_events.c: a file of TLB events. The first byte: even, the rest is the file; odd, the rest is records after a valid
 * header, with its bits 7:1 as number of CPUs and rules.
 */
#include "fuzz.h"

#include "tlb/event_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char name[] = "some.events";

static void expect_line(const struct error *error)
{
	fuzz_expect(!strncmp(error->text, name, sizeof(name) - 1));
	fuzz_expect(!strchr(error->text, '\n'));
}

static void use_debt(void *context, const struct tlb_debt *debt)
{
	uint64_t *count = context;

	fuzz_expect(debt->level >= 1 && debt->level <= 5);
	fuzz_expect(!(debt->va & ((1ull << (12 + 9 * (debt->level - 1))) - 1)));
	++*count;
}

static void use_model(struct tlb *tlb)
{
	const struct tlb_stats *stats = tlb_stats(tlb);
	uint64_t owed = 0, listed = tlb_findings(tlb)->count;

	for (unsigned int cpu = 0; cpu < tlb_config(tlb)->cpus; cpu++)
		tlb_for_each_debt(tlb, cpu, use_debt, &owed);
	fuzz_expect(owed <= stats->debts_now && stats->debts_now <= tlb_config(tlb)->limits.debts);
	fuzz_expect(stats->tables_now <= tlb_config(tlb)->limits.pages);
	fuzz_expect(listed <= tlb_finding_count(tlb));
}

static void replay(const uint8_t *bytes, size_t size)
{
	struct event_reader reader;
	struct tlb_event event;
	struct tlb *tlb = NULL;
	struct error error;
	int result;

	if (event_reader_open(&reader, bytes, size, name, &error) < 0) {
		expect_line(&error);
		return;
	}
	fuzz_expect(tlb_create(&reader.config, &tlb, &error) == 0);
	while ((result = event_reader_next(&reader, &event, &error)) > 0) {
		/* The model accepts each event that the reader accepts. */
		fuzz_expect(tlb_feed(tlb, &event, &error) == 0);
		fuzz_expect(reader.offset <= size);
	}
	if (result < 0)
		expect_line(&error);
	use_model(tlb);
	tlb_destroy(tlb);
}

/* Records after a header that is valid. */
static void replay_records(uint8_t choice, const uint8_t *records, size_t size)
{
	struct tlb_config config = tlb_config_default();
	struct event_writer writer;
	size_t file_size;
	char *file;
	FILE *stream = open_memstream(&file, &file_size);

	fuzz_expect(stream);
	config.cpus = 1 + choice % 4;
	config.strict = choice & 4;
	config.rules = choice & 8 ? tlb_profile_rules('A') : (1u << TLB_RULE_COUNT) - 1;
	config.disbelieve = choice & 16 ? 2 : 0;
	if (choice & 32)
		config.limits = (struct tlb_limits){ 6, 20, 2, 2, 1, 3, 1 };
	event_writer_begin(&writer, stream, &config);
	fwrite(records, 1, size, stream);
	fuzz_expect(fclose(stream) == 0);
	replay((const uint8_t *)file, file_size);
	free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] & 1)
		replay_records(data[0] >> 1, data + 1, size - 1);
	else
		replay(data + 1, size - 1);
	return 0;
}
