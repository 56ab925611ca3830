/* SPDX-License-Identifier: MIT */
/*
 * step.c: one operation, and what became of it.
 */
#include "base/number.h"
#include "report/run_parts.h"
#include "report/text.h"

#include <inttypes.h>

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

static void done_outcome(const struct kvmap_operation *operation, const struct report_step *step, char *out,
			 size_t size)
{
	const uint64_t *value = step->result.value;
	char bytes[40];

	switch (operation->opcode) {
	case KVMAP_OP_VMALLOC:
	case KVMAP_OP_VZALLOC:
	case KVMAP_OP_KMALLOC:
	case KVMAP_OP_KMALLOC_NODE:
	case KVMAP_OP_KZALLOC:
	case KVMAP_OP_VMALLOC_GFP:
	case KVMAP_OP_VMALLOC_USER:
	case KVMAP_OP_VMALLOC_32:
	case KVMAP_OP_VMALLOC_NODE:
	case KVMAP_OP_VZALLOC_NODE:
	case KVMAP_OP_VMALLOC_ARRAY:
	case KVMAP_OP_VCALLOC:
	case KVMAP_OP_KVMALLOC:
	case KVMAP_OP_KVZALLOC:
	case KVMAP_OP_KVMALLOC_ARRAY:
	case KVMAP_OP_VMALLOC_HUGE:
	case KVMAP_OP_VREALLOC:
	case KVMAP_OP_KVREALLOC:
	case KVMAP_OP_VMAP:
	case KVMAP_OP_VM_MAP_RAM:
		snprintf(out, size, "0x%" PRIx64 ", %s", value[0],
			 number_bytes(value[2], bytes, sizeof(bytes)));
		break;
	case KVMAP_OP_KFREE:
	case KVMAP_OP_KVFREE:
	case KVMAP_OP_VFREE: snprintf(out, size, "0x%" PRIx64 " freed", value[1]); break;
	case KVMAP_OP_VFREE_ATOMIC: snprintf(out, size, "0x%" PRIx64 " waits to be freed", value[1]); break;
	case KVMAP_OP_VUNMAP:
	case KVMAP_OP_VM_UNMAP_RAM: snprintf(out, size, "0x%" PRIx64 " unmapped", value[1]); break;
	case KVMAP_OP_SET_MEMORY_RO: snprintf(out, size, "0x%" PRIx64 " may only be read", value[1]); break;
	case KVMAP_OP_SET_MEMORY_RW: snprintf(out, size, "0x%" PRIx64 " may be written", value[1]); break;
	case KVMAP_OP_SET_MEMORY_X: snprintf(out, size, "0x%" PRIx64 " may be executed", value[1]); break;
	case KVMAP_OP_SET_MEMORY_NX:
		snprintf(out, size, "0x%" PRIx64 " may not be executed", value[1]);
		break;
	case KVMAP_OP_EXECUTE: snprintf(out, size, "it has returned"); break;
	case KVMAP_OP_READ: snprintf(out, size, "0x%016" PRIx64 " at 0x%" PRIx64, value[0], value[1]); break;
	case KVMAP_OP_WRITE: snprintf(out, size, "written at 0x%" PRIx64, value[1]); break;
	case KVMAP_OP_PARALLEL:
		text_number_of(value[0], "operation", bytes, sizeof(bytes));
		snprintf(out, size, "%s at once", bytes);
		break;
	case KVMAP_OP_STRESS:
		text_number_of(value[0], "operation", bytes, sizeof(bytes));
		snprintf(out, size, "%s done", bytes);
		break;
	case KVMAP_OP_STRESS_FREE:
		text_number_of(value[0], "object", bytes, sizeof(bytes));
		snprintf(out, size, "%s freed", bytes);
		break;
	case KVMAP_OP_FRAGMENT:
		text_number_of(value[0], "frame", bytes, sizeof(bytes));
		snprintf(out, size, "%s held", bytes);
		break;
	case KVMAP_OP_PURGE:
		text_number_of(value[0], "range", bytes, sizeof(bytes));
		snprintf(out, size, "%s flushed", bytes);
		break;
	case KVMAP_OP_FILL:
		snprintf(out, size, "%s filled", number_bytes(value[2], bytes, sizeof(bytes)));
		break;
	case KVMAP_OP_PAIR:
		/* ticks of the time-stamp counter; a host that interprets the guest makes them no
		 * instructions */
		snprintf(out, size, "%" PRIu64 " ticks a pair, the worst single operation %" PRIu64,
			 operation->operand[2].value ? value[0] / operation->operand[2].value : 0, value[1]);
		break;
	case KVMAP_OP_AREAS:
		text_number_of(value[0], "area", bytes, sizeof(bytes));
		snprintf(out, size, "%s made%s", bytes,
			 operation->operand[2].value ? ", every second one freed" : "");
		break;
	case KVMAP_OP_CHECK: snprintf(out, size, "holds what it should"); break;
	case KVMAP_OP_VERIFY: snprintf(out, size, "claims and tables compared"); break;
	case KVMAP_OP_PRINT:
		if (operation->operand[1].base != KVMAP_BASE_NONE) {
			snprintf(out, size, "0x%" PRIx64, value[1]);
			break;
		}
		/* fallthrough */
	default: snprintf(out, size, "done");
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
	if (status == KVMAP_FAILED_CONTENT)
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
