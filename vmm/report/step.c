/* SPDX-License-Identifier: MIT */
/*
 * step.c: one operation and its outcome.
 */
#include "base/number.h"
#include "base/strbuf.h"
#include "report/run_parts.h"
#include "report/text.h"

#include <inttypes.h>
#include <string.h>

const struct kvmap_operation *step_operation(const struct report_run *run, const struct report_step *step)
{
	if (step->result.operation >= run->script->operations.count)
		return NULL;
	return &run->script->operations.items[step->result.operation];
}

bool step_is_excused(uint32_t fail_allocation, const struct report_step *step)
{
	return fail_allocation && step->result.detail & KVMAP_RESULT_EXCUSED;
}

bool step_is_bad(const struct report_run *run, const struct report_step *step)
{
	const struct kvmap_operation *operation = step_operation(run, step);

	if (!operation || KVMAP_STATUS_IS_FAILED(step->result.status))
		return true;
	return KVMAP_STATUS_IS_REFUSED(step->result.status) && operation->expect != KVMAP_EXPECT_REFUSED &&
	       !step_is_excused(run->fail_allocation, step);
}

bool step_walk_agrees(const struct report_step *step)
{
	const struct walk *walk = &step->fault_walk;

	switch (step->fault.detail) {
	case KVMAP_FAULT_READONLY: return walk->stop == WALK_MAPPED && !(walk->rights & RIGHT_W);
	case KVMAP_FAULT_NOEXECUTE: return walk->stop == WALK_MAPPED && !(walk->rights & RIGHT_X);
	default: return walk->stop != WALK_MAPPED;
	}
}

/* "guard at 0xffffc90000010000, 64 KiB area; host agrees" */
static void fault_outcome(const struct report_step *step, char *out, size_t size)
{
	const struct kvmap_record *fault = &step->fault;
	char area[80] = "", bytes[40];
	const char *host = "";

	if (fault->value[1])
		snprintf(area, sizeof(area), ", %s area",
			 number_bytes(fault->value[2], bytes, sizeof(bytes)));
	if (step->fault_checked)
		host = step_walk_agrees(step) ? "; host agrees" : "; THE HOST DISAGREES";
	snprintf(out, size, "%s at 0x%" PRIx64 "%s%s", fault_kind_name((uint16_t)fault->detail),
		 fault->value[0], area, host);
}

/* "1,234 ranges": a count and the plural noun at *at, which is skipped. */
static void count_outcome(uint64_t count, const char **at, char *out, size_t size)
{
	size_t length = strspn(*at, " "), plural;
	char noun[40];

	*at += length;
	plural = strcspn(*at, " ");
	snprintf(noun, sizeof(noun), "%.*s", (int)plural - 1, *at);
	text_number_of(count, noun, out, size);
	*at += plural;
}

/*
 * The text for a placeholder of kvmap/opcode.h. *at is after it; a noun that belongs to a count is skipped.
 */
static void outcome_value(char placeholder, const struct kvmap_operation *operation, const uint64_t *value,
			  const char **at, char *out, size_t size)
{
	uint64_t pairs = operation->operand[2].value;

	switch (placeholder) {
	case 'x': snprintf(out, size, "0x%" PRIx64, value[0]); break;
	case 'v': snprintf(out, size, "0x%016" PRIx64, value[0]); break;
	case 'u': count_outcome(value[0], at, out, size); break;
	case 'a': snprintf(out, size, "0x%" PRIx64, value[1]); break;
	case 's': number_bytes(value[2], out, size); break;
	case 'd': snprintf(out, size, "%" PRIu64, pairs ? value[0] / pairs : 0); break;
	case 'w': snprintf(out, size, "%" PRIu64, value[1]); break;
	default: snprintf(out, size, "?");
	}
}

static void done_outcome(const struct kvmap_operation *operation, const struct report_step *step, char *out,
			 size_t size)
{
	const char *at = operation_outcome(operation->opcode);
	struct strbuf text = strbuf_of(out, size);
	char part[80];

	if (operation->opcode == KVMAP_OP_PRINT && operation->operand[1].base != KVMAP_BASE_NONE)
		at = "%a";
	if (operation->opcode == KVMAP_OP_VERIFY && step->verified) {
		text_number_of(step->findings, "finding", part, sizeof(part));
		snprintf(out, size, "verified: %s", part);
		return;
	}
	if (!*at)
		at = "done";
	while (*at) {
		if (*at == '%') {
			at += 2;
			outcome_value(at[-1], operation, step->result.value, &at, part, sizeof(part));
		} else {
			snprintf(part, sizeof(part), "%.*s", (int)strcspn(at, "%"), at);
			at += strlen(part);
		}
		strbuf_add(&text, "%s", part);
	}
}

const char *step_outcome(const struct report_run *run, const struct report_step *step, char *out, size_t size)
{
	const struct kvmap_operation *operation = step_operation(run, step);
	uint16_t status = step->result.status;
	char fault[200] = "";

	if (!operation) {
		snprintf(out, size, "the guest reports operation %" PRIu32 ", which the script does not have",
			 step->result.operation);
		return out;
	}
	if (step->fault.type)
		fault_outcome(step, fault, sizeof(fault));
	if (KVMAP_STATUS_HAS_CONTENTS(status))
		snprintf(out, size,
			 "FAILED: %s: at 0x%" PRIx64 " 0x%016" PRIx64 " expected, 0x%016" PRIx64 " found",
			 status_text(status), step->result.value[1], step->result.value[4],
			 step->result.value[5]);
	else if (KVMAP_STATUS_IS_FAILED(status))
		snprintf(out, size, "FAILED: %s%s%s", status_text(status), *fault ? ": " : "", fault);
	else if (KVMAP_STATUS_IS_REFUSED(status))
		snprintf(out, size, "%s: %s",
			 operation->expect == KVMAP_EXPECT_REFUSED ? "refused as expected"
			 : step_is_excused(run->fail_allocation, step)
				 ? "refused, since an allocation was made to fail"
				 : "REFUSED",
			 status_text(status));
	else if (*fault)
		snprintf(out, size, "%s", fault);
	else
		done_outcome(operation, step, out, size);
	return out;
}
