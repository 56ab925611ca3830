/* SPDX-License-Identifier: MIT */
#include "session/expectations.h"

#include "base/array.h"
#include "base/escape.h"
#include "session/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void expectations_begin(struct verdict *verdict)
{
	for (unsigned int i = 1; i <= INVARIANTS; i++) {
		verdict->results[i].seen = NOT_SEEN;
		snprintf(verdict->results[i].why_not, sizeof(verdict->results[i].why_not),
			 "the guest ended before it could be verified");
	}
}

void expectations_not_wanted(struct verdict *verdict)
{
	for (unsigned int i = 1; i <= INVARIANTS; i++)
		snprintf(verdict->results[i].why_not, sizeof(verdict->results[i].why_not),
			 "verification was off");
}

int expectations_first_verdict(struct session *session, const struct verdict *verdict)
{
	for (unsigned int i = 1; i <= INVARIANTS; i++)
		session->verdict.results[i] = (struct invariant_result){ 0 };
	return verdict_add(&session->verdict, verdict);
}

static int add_finding(struct session *session, const struct finding *finding)
{
	struct verdict *verdict = &session->verdict;

	verdict->finding_count++;
	if (++verdict->results[0].findings > FINDINGS_LISTED)
		return 0;
	return array_push(&verdict->findings, *finding);
}

/* "demo.kvs:7: vfree a" */
static void describe_operation(const struct session *session, uint32_t index, char *out, size_t size)
{
	const struct script *script = session->config.script;
	uint32_t line = script->operations.items[index].line;
	char text[160], escaped[200];

	script_line(script, line, text, sizeof(text));
	snprintf(out, size, "%.60s:%" PRIu32 ": %s", script->path, line,
		 text_escape(text, strlen(text), escaped, sizeof(escaped)));
}

int expectations_unreadable(struct session *session, const struct error *error)
{
	struct finding finding = { .address = error->address };

	snprintf(finding.claimed, sizeof(finding.claimed), "a guest that can be verified");
	snprintf(finding.found, sizeof(finding.found), "%.*s", (int)sizeof(finding.found) - 1, error->text);
	snprintf(finding.where, sizeof(finding.where), "after %zu operations", session->steps.count);
	return add_finding(session, &finding);
}

bool expectations_address(const struct session *session, const struct kvmap_operand *operand, uint64_t *out)
{
	switch (operand->base) {
	case KVMAP_BASE_NONE: *out = operand->value; return true;
	case KVMAP_BASE_TEXT: *out = KVMAP_IMAGE_BASE + KVMAP_IMAGE_GPA + operand->value; return true;
	case KVMAP_BASE_VARIABLE:
		*out = session->variables[operand->variable].value + operand->value;
		return session->variables[operand->variable].known;
	default: return false;
	}
}

/* Why the expected fault, which the guest reports, does not count; NULL: it does. */
static const char *fault_error(const struct session *session, const struct kvmap_operation *operation,
			       const struct report_step *step)
{
	uint64_t address;

	if (!step->fault.type)
		return "the guest reported no fault";
	if (step->fault.detail != operation->fault_kind)
		return "the guest reported another kind";
	if (!step->fault_checked)
		return "the guest did not stop at it for the walk of the host";
	/* An access of 8 bytes may fault at any of them. */
	if (expectations_address(session, &operation->operand[0], &address) &&
	    step->fault.value[0] - address >= 8)
		return "the guest reported a fault at another address";
	return NULL;
}

static int check_fault(struct session *session, const struct report_step *step)
{
	const struct kvmap_operation *operation =
		&session->config.script->operations.items[step->result.operation];
	struct finding finding = { .address = step->fault.value[0] };
	const char *wrong = NULL;

	describe_operation(session, step->result.operation, finding.where, sizeof(finding.where));
	if (operation->expect == KVMAP_EXPECT_FAULT && step->result.status == KVMAP_OK)
		wrong = fault_error(session, operation, step);
	if (wrong) {
		snprintf(finding.claimed, sizeof(finding.claimed), "the expected fault (%s) was taken",
			 fault_kind_name(operation->fault_kind));
		snprintf(finding.found, sizeof(finding.found), "%s", wrong);
		return add_finding(session, &finding);
	}
	if (step->fault_checked && !step_walk_agrees(step)) {
		snprintf(finding.claimed, sizeof(finding.claimed), "a fault: %s",
			 fault_kind_name((uint16_t)step->fault.detail));
		snprintf(finding.found, sizeof(finding.found), "the tables: %s, rights %s",
			 walk_stop_text(step->fault_walk.stop), RIGHTS_TEXT(step->fault_walk.rights));
		return add_finding(session, &finding);
	}
	return 0;
}

/* For an operation that the host does, the guest must have stopped. */
static int add_not_stopped(struct session *session, const struct report_step *step, const char *claimed)
{
	struct finding finding = { 0 };

	describe_operation(session, step->result.operation, finding.where, sizeof(finding.where));
	snprintf(finding.claimed, sizeof(finding.claimed), "%s", claimed);
	snprintf(finding.found, sizeof(finding.found), "the guest did not stop for it");
	return add_finding(session, &finding);
}

/* The host does `verify`: the guest must have stopped for it before it reports it as done. */
static int check_verify(struct session *session, const struct report_step *step)
{
	return session->verified ? 0 : add_not_stopped(session, step, "the host verified");
}

static void note_variable(struct session *session, const struct kvmap_operation *operation,
			  const struct kvmap_record *result)
{
	bool resize = operation->opcode == KVMAP_OP_VREALLOC || operation->opcode == KVMAP_OP_KVREALLOC;

	/* A resize that is refused leaves what there is. */
	if (operation->result == KVMAP_NO_RESULT ||
	    (resize && result->status != KVMAP_OK && operation->operand[0].base == KVMAP_BASE_VARIABLE &&
	     operation->operand[0].variable == operation->result))
		return;
	session->variables[operation->result].known = result->status == KVMAP_OK;
	session->variables[operation->result].value = result->value[0];
}

int expectations_check_step(struct session *session, const struct report_step *step)
{
	const struct kvmap_operation *operation =
		&session->config.script->operations.items[step->result.operation];
	uint16_t status = step->result.status;
	struct finding finding = { .address = step->result.value[1] };

	session->verdict.results[0].checked++;
	if (requests_note(session, operation, &step->result) < 0)
		return -1;
	note_variable(session, operation, &step->result);
	if (KVMAP_STATUS_IS_REFUSED(status) && operation->expect != KVMAP_EXPECT_REFUSED &&
	    !step_is_excused(session->config.fail_allocation, step))
		session->refused++;
	if (operation->opcode == KVMAP_OP_VERIFY && status == KVMAP_OK && check_verify(session, step) < 0)
		return -1;
	if (operation->opcode == KVMAP_OP_SHOW && status == KVMAP_OK && !step->shown.text &&
	    add_not_stopped(session, step, "the host showed") < 0)
		return -1;
	if (!KVMAP_STATUS_IS_FAILED(status))
		return check_fault(session, step);
	describe_operation(session, step->result.operation, finding.where, sizeof(finding.where));
	if (step->fault.type)
		finding.address = step->fault.value[0];
	if (KVMAP_STATUS_IS_DAMAGE(status)) {
		snprintf(finding.claimed, sizeof(finding.claimed),
			 "0x%016" PRIx64 ", %s %" PRIu64 "-byte object at 0x%" PRIx64, step->result.value[4],
			 status == KVMAP_FAILED_FREED_WRITTEN ? "in the free"
							      : "after the requested size of the",
			 step->result.value[2], step->result.value[0]);
		snprintf(finding.found, sizeof(finding.found), "0x%016" PRIx64 ": %s", step->result.value[5],
			 status_text(status));
	} else if (status == KVMAP_FAILED_CONTENT) {
		snprintf(finding.claimed, sizeof(finding.claimed), "holds 0x%016" PRIx64,
			 step->result.value[4]);
		snprintf(finding.found, sizeof(finding.found), "0x%016" PRIx64, step->result.value[5]);
	} else {
		snprintf(finding.claimed, sizeof(finding.claimed), "the operation succeeds");
		snprintf(finding.found, sizeof(finding.found), "%s%s%s", status_text(status),
			 step->fault.type ? ": " : "",
			 step->fault.type ? fault_kind_name((uint16_t)step->fault.detail) : "");
	}
	return add_finding(session, &finding);
}

static const char *death_text(const struct report_death *death)
{
	switch (death->event.type) {
	case MACHINE_EXIT:
		if (death->oops.type)
			return "an unexpected fault in the kernel";
		return *death->last_words ? death->last_words : "the guest gave up without a message";
	case MACHINE_TRIPLE_FAULT: return "a triple fault";
	case MACHINE_EMULATION_FAILURE: return "an instruction that KVM could not emulate";
	case MACHINE_MMIO: return "an access to a guest physical address without memory";
	case MACHINE_PORT: return "an access to a port without a device";
	case MACHINE_HALT: return "HLT with nothing to wake it";
	case MACHINE_TIMEOUT: return "stopped by --timeout";
	default: return "an exit that kvmap does not handle";
	}
}

void expectations_where(const struct session *session, char *out, size_t size)
{
	/* Results of a `parallel` come in any order: the block is named. */
	size_t index = session->parallel_done ? session->parallel_start - 1 : session->steps.count;

	if (!session->run.hello.type)
		snprintf(out, size, "before the first operation");
	else if (index < session->config.script->operations.count)
		describe_operation(session, (uint32_t)index, out, size);
	else
		snprintf(out, size, "after the last operation");
}

/* Whether the operation changes nothing that is verified. */
static bool is_passive(uint32_t opcode)
{
	return opcode == KVMAP_OP_VERIFY || opcode == KVMAP_OP_PRINT || opcode == KVMAP_OP_SHOW;
}

void expectations_after(const struct session *session, char *out, size_t size)
{
	const struct kvmap_operation *operations = session->config.script->operations.items;
	char last[180] = "the boot";
	uint32_t newest = 0;
	size_t count = 0;

	for (size_t i = session->verified_steps; i < session->steps.count; i++) {
		uint32_t index = session->steps.items[i].result.operation;

		if (is_passive(operations[index].opcode))
			continue;
		newest = index;
		count++;
	}
	if (session->run.death) {
		expectations_where(session, last, sizeof(last));
		count++;
	} else if (count) {
		describe_operation(session, newest, last, sizeof(last));
	}
	if (count > 1)
		snprintf(out, size, "one of %zu operations up to %.150s", count, last);
	else
		snprintf(out, size, "%.*s", (int)size - 1, last);
}

int expectations_check_death(struct session *session)
{
	const struct report_death *death = &session->death;
	struct finding finding = { 0 };

	if (death->oops.type)
		finding.address = death->oops.value[0];
	else if (death->event.type == MACHINE_MMIO)
		finding.address = death->event.address;
	else if (death->has_registers)
		finding.address = death->registers.rip;
	snprintf(finding.claimed, sizeof(finding.claimed), "the script runs to its end");
	if (session->config.cpus > 1)
		snprintf(finding.found, sizeof(finding.found), "%.100s on CPU %u", death_text(death),
			 death->event.cpu);
	else
		snprintf(finding.found, sizeof(finding.found), "%.*s", (int)sizeof(finding.found) - 1,
			 death_text(death));
	expectations_where(session, finding.where, sizeof(finding.where));
	return add_finding(session, &finding);
}

int expectations_check_end(struct session *session)
{
	size_t expected = session->config.script->operations.count;
	struct finding finding = { .where = "the channel" };

	if (session->run.dropped_records) {
		snprintf(finding.claimed, sizeof(finding.claimed), "one valid record for each operation");
		snprintf(finding.found, sizeof(finding.found), "%" PRIu64 " invalid records",
			 session->run.dropped_records);
		if (add_finding(session, &finding) < 0)
			return -1;
	}
	if (!session->reached_end || session->steps.count == expected)
		return 0;
	snprintf(finding.claimed, sizeof(finding.claimed), "all %zu operations are done", expected);
	snprintf(finding.found, sizeof(finding.found), "%zu reported", session->steps.count);
	return add_finding(session, &finding);
}

int expectations_broken_ring(struct session *session, int waiting)
{
	struct finding finding = { 0 };

	snprintf(finding.claimed, sizeof(finding.claimed), "all %zu operations are done", session->given);
	if (waiting < 0)
		snprintf(finding.found, sizeof(finding.found), "an end of the ring that cannot be");
	else if (waiting)
		snprintf(finding.found, sizeof(finding.found), "%d still in the ring", waiting);
	else
		snprintf(finding.found, sizeof(finding.found), "%zu reported", session->steps.count);
	snprintf(finding.where, sizeof(finding.where), "the ring");
	return add_finding(session, &finding);
}

int expectations_left_ring(struct session *session)
{
	struct finding finding = { 0 };

	snprintf(finding.claimed, sizeof(finding.claimed), "the guest waits for operations");
	snprintf(finding.found, sizeof(finding.found), "it ended");
	expectations_where(session, finding.where, sizeof(finding.where));
	return add_finding(session, &finding);
}
