/* SPDX-License-Identifier: MIT */
#include "world.h"

#include "calls.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct session session;
bool world_damaged;
const struct view *world_view;
char world_own_path[128];
int world_resumed;

static struct kvmap_operation operations[WORLD_OPERATIONS];
static struct script script;
static struct kvmap_record records[64];
static size_t record_count, record_next;
static const char *serial;
static size_t serial_length;

/* The linker's names (--wrap). */
bool __wrap_machine_next_record(struct machine *machine, struct kvmap_record *out, bool *damaged_out);
const char *__wrap_machine_serial(const struct machine *machine, size_t *length_out);
int __wrap_machine_view(struct machine *machine, const struct view **out, struct error *error);

bool __wrap_machine_next_record(struct machine *machine, struct kvmap_record *out, bool *damaged_out)
{
	(void)machine;
	*damaged_out = record_next == record_count && world_damaged;
	if (record_next == record_count)
		return false;
	*out = records[record_next++];
	return true;
}

const char *__wrap_machine_serial(const struct machine *machine, size_t *length_out)
{
	(void)machine;
	*length_out = serial_length;
	return serial;
}

int __wrap_machine_view(struct machine *machine, const struct view **out, struct error *error)
{
	(void)machine;
	if (!world_view)
		return error_set(error, ERROR_HOST, 0, 0, "no view");
	*out = world_view;
	return 0;
}

void world_start(void)
{
	static struct report_step pending[KVMAP_CPUS_MAX];
	static char path[] = "t.kvs";
	static char text[] = "operation 1\noperation 2\noperation 3\noperation 4\noperation 5\noperation 6\n";
	static size_t lines[] = { 0, 12, 24, 36, 48, 60 };

	script = (struct script){
		.path = path,
		.text = text,
		.length = strlen(text),
		.lines = { lines, sizeof(lines) / sizeof(lines[0]), sizeof(lines) / sizeof(lines[0]) },
	};
	script.operations.items = operations;
	script.operations.count = WORLD_OPERATIONS;
	for (uint32_t i = 0; i < WORLD_OPERATIONS; i++)
		operations[i] = (struct kvmap_operation){ .opcode = KVMAP_OP_VMALLOC,
							  .line = i + 1,
							  .result = KVMAP_NO_RESULT };
	memset(pending, 0, sizeof(pending));
	session = (struct session){ .config = { .script = &script, .cpus = 1 }, .pending = pending };
	record_count = record_next = 0;
	world_damaged = false;
	world_view = NULL;
	calls = (struct calls){ .exit_value = KVMAP_EXIT_OK };
	memset(calls_open, 0, sizeof(calls_open));
	world_serial("", 0);
}

void world_end(void)
{
	session_end_parallel(&session);
	verdict_destroy(&session.verdict);
	for (size_t i = 0; i < session.steps.count; i++)
		report_shown_destroy(&session.steps.items[i].shown);
	report_shown_destroy(&session.shown);
	verdict_destroy(&calls.verdict);
	claims_destroy(&session.claims);
	ranges_destroy(&session.ranges);
	flush_log_destroy(&session.flushes);
	free(session.steps.items);
	free(session.free_blocks.items);
}

struct kvmap_operation *world_operation(unsigned int index)
{
	return &operations[index];
}

void world_record(const struct kvmap_record *record)
{
	if (record_next == record_count)
		record_next = record_count = 0;
	cr_assert_lt(record_count, sizeof(records) / sizeof(records[0]));
	records[record_count++] = *record;
}

struct kvmap_record world_result(uint32_t operation)
{
	return (struct kvmap_record){ .type = KVMAP_RECORD_RESULT, .operation = operation };
}

void world_take(void)
{
	cr_assert_eq(session_take_records(&session), 0);
}

void world_serial(const char *text, size_t length)
{
	serial = text;
	serial_length = length;
}

const struct finding *world_finding(size_t index)
{
	cr_assert_lt(index, session.verdict.findings.count);
	return &session.verdict.findings.items[index];
}

void expect_finding(size_t index, const char *claimed, const char *found, const char *where)
{
	const struct finding *finding = world_finding(index);

	cr_expect_str_eq(finding->claimed, claimed);
	cr_expect_str_eq(finding->found, found);
	cr_expect_str_eq(finding->where, where);
	cr_expect_eq(finding->invariant, 0);
}
