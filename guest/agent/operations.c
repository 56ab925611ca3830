/* SPDX-License-Identifier: MIT */
#include "agent/operations.h"
#include "agent/agent.h"
#include "agent/console.h"
#include "agent/locks.h"
#include "agent/report.h"
#include "agent/variables.h"
#include "arch/cycles.h"
#include "arch/interrupt.h"
#include "arch/sections.h"
#include "mm/roots.h"
#include "arch/smp.h"
#include "mm/arch.h"
#include "mm/fail_alloc.h"
#include "mm/locks.h"
#include "mm/percpu.h"
#include "mm/slab/kmalloc.h"

static u32 op_unknown(struct operation *operation)
{
	(void)operation;
	return KVMAP_REFUSED_UNKNOWN;
}

#define OPERANDS_ECHO(operands, synopsis, echo) static const char echo_##operands[] = echo;
KVMAP_OPERANDS(OPERANDS_ECHO)

#define OPERATION_ROW(NAME, function, opcode, name, result, operands, outcome, help)                         \
	[KVMAP_OP_##NAME] = { op_##function, name, echo_##operands, outcome },
static const struct operation_row rows[] = { [0] = { op_unknown, "unknown operation", "", "" },
					     KVMAP_OPERATIONS(OPERATION_ROW) };

const struct operation_row *operation_row(u32 opcode)
{
	return &rows[opcode < ARRAY_SIZE(rows) && rows[opcode].run ? opcode : 0];
}

/* Computes the value of an operand; enum kvmap_status. */
static u32 operand_value(const struct kvmap_operand *operand, u64 *value_out)
{
	u64 base = 0;

	switch (operand->base) {
	case KVMAP_BASE_NONE: break;
	case KVMAP_BASE_VARIABLE:
		if (operand->variable >= agent_nr_variables)
			return KVMAP_REFUSED_UNKNOWN;
		if (agent_variables[operand->variable].state == VARIABLE_UNSET)
			return KVMAP_REFUSED_UNSET;
		base = agent_variables[operand->variable].address;
		break;
	case KVMAP_BASE_TEXT: base = (u64)text_start; break;
	case KVMAP_BASE_RODATA: base = (u64)rodata_start; break;
	default: return KVMAP_REFUSED_UNKNOWN;
	}
	*value_out = base + operand->value;
	return KVMAP_OK;
}

static u32 operands_read(struct operation *operation)
{
	u32 status = KVMAP_OK;

	for (u32 i = 0; i < ARRAY_SIZE(operation->operand) && !status; i++)
		status = operand_value(&operation->script->operand[i], &operation->operand[i]);
	return status;
}

/* Compares the status with the script's expectation. */
static u32 status_against_expectation(const struct operation *operation, u32 status)
{
	switch (operation->script->expect) {
	case KVMAP_EXPECT_REFUSED: return status == KVMAP_OK ? KVMAP_FAILED_NOT_REFUSED : status;
	case KVMAP_EXPECT_FAULT:
		if (operation->faulted)
			return operation->fault.kind == operation->script->fault_kind
				       ? KVMAP_OK
				       : KVMAP_FAILED_OTHER_FAULT;
		return status == KVMAP_OK ? KVMAP_FAILED_NO_FAULT : status;
	default: return status;
	}
}

/* Damage that slab_debug has found during the operation, which is then a failure, whatever its status. */
static u32 damage_found(struct operation *operation, u32 status)
{
	struct kmalloc_damage damage = kmalloc_damage();

	if (!damage.status)
		return status;
	operation->result = damage.object;
	operation->address = damage.address;
	operation->size = damage.size;
	operation->expected = damage.expected;
	operation->found = damage.found;
	return damage.status;
}

static u32 operation_do(struct operation *operation)
{
	u32 status;

	if (operation->script->cpu >= arch_nr_cpus)
		return KVMAP_REFUSED_NO_CPU;
	status = operands_read(operation);
	if (!status)
		status = operation_row(operation->script->opcode)->run(operation);
	return damage_found(operation, status);
}

struct interrupted {
	struct operation *operation;
	u32 status;
};

static void do_interrupted(void *argument)
{
	struct interrupted *interrupted = argument;

	interrupted->status = operation_do(interrupted->operation);
}

static u32 operation_do_in_context(struct operation *operation)
{
	struct interrupted interrupted = { .operation = operation };

	switch (operation->script->context) {
	case KVMAP_CONTEXT_TASK: return operation_do(operation);
	case KVMAP_CONTEXT_INTERRUPT:
		if (!interrupts_possible)
			return KVMAP_REFUSED_UNKNOWN;
		interrupt_run(do_interrupted, &interrupted);
		return interrupted.status;
	default: return KVMAP_REFUSED_UNKNOWN;
	}
}

/*
 * After an injected allocation failure: the operation that it hit is excused if it was refused, and later
 * operations if they have no memory to work on.
 */
static u32 made_to_fail(bool done_before, u32 status)
{
	bool now = fail_alloc_done && !done_before;
	bool excused = now ? KVMAP_STATUS_IS_REFUSED(status)
			   : fail_alloc_done &&
				       (status == KVMAP_REFUSED_UNSET || status == KVMAP_REFUSED_NOT_FILLED);

	return (now ? KVMAP_RESULT_MADE_TO_FAIL : 0) | (excused ? KVMAP_RESULT_EXCUSED : 0);
}

static bool is_expected(const struct operation *operation, u32 status)
{
	if (status == KVMAP_OK || operation->detail & KVMAP_RESULT_EXCUSED)
		return true;
	return operation->script->expect == KVMAP_EXPECT_REFUSED && KVMAP_STATUS_IS_REFUSED(status);
}

/* `stress` and refused calls of earlier operations leave statuses. */
static void statuses_reset(void)
{
	struct cpu_cache *cpu = this_cpu_cache();

	cpu->vmalloc_status = cpu->page_alloc_status = cpu->kmalloc_status = KVMAP_OK;
}

static void operation_run_here(void *script_operation)
{
	const struct kvmap_operation *script = script_operation;
	struct operation operation = { .script = script };
	bool done_before = fail_alloc_done;
	struct refusal refusal;
	u64 start = get_cycles();
	u32 cpu = arch_cpu(), status;

	agent_running[cpu] = script;
	WRITE_ONCE(fail_alloc_now, false);
	statuses_reset();
	WRITE_ONCE(agent_opcode[cpu], script->opcode);
	WRITE_ONCE(agent_inside[cpu], script->line);
	if (unlikely(log_is_on()))
		arch_log_operation(operation_index(script), true);
	status = status_against_expectation(&operation, operation_do_in_context(&operation));
	status = lock_status(&operation, status);
	WRITE_ONCE(agent_inside[cpu], 0);

	operation.detail = made_to_fail(done_before, status);
	if (!is_expected(&operation, status))
		__atomic_add_fetch(&agent.unexpected, 1, __ATOMIC_RELAXED);
	if (refusal_take(&refusal)) {
		report_warning(&operation, &refusal);
		if (refusal.status == KVMAP_REFUSED_NO_MEMORY)
			report_free_blocks(&operation);
	}
	if (unlikely(log_is_on()))
		arch_log_operation(operation_index(script), false);
	report_result(&operation, status, get_cycles() - start);
}

/*
 * Runs this CPU's operations of a `parallel`. CPU 0 also runs those that name a CPU which does not exist, and
 * so refuses them.
 */
static void parallel_run_here(void *script_operation)
{
	const struct kvmap_operation *parallel = script_operation;
	u32 me = arch_cpu(), start = operation_index(parallel);

	for (u32 i = 1; i <= parallel->operand[0].value; i++) {
		const struct kvmap_operation *operation = operation_at(start + i);

		if (operation->cpu == me || (!me && operation->cpu >= arch_nr_cpus))
			operation_run_here((void *)operation);
	}
}

static void parallel_counts(struct parallel_counts *out)
{
	struct vmalloc_stats stats;

	vmalloc_stats_sum(&stats);
	*out = (struct parallel_counts){
		.rounds = tlb_stats.rounds,
		.ipis = tlb_stats.ipis,
		.pages = stats.pages_purged,
	};
	for (u32 i = 0; i < lock_table_rows; i++) {
		u64 acquired, contended;

		lock_row_sum(&lock_table[i], &acquired, &contended);
		out->locks += acquired;
		out->contended += contended;
	}
	out->ticks = get_cycles();
}

u32 operations_after(const struct kvmap_operation *script)
{
	return agent.end - operation_index(script) - 1;
}

static u32 parallel_run(const struct kvmap_operation *parallel)
{
	struct parallel_counts before, after;
	u32 start = operation_index(parallel);
	u64 set = 0;

	operation_run_here((void *)parallel);
	if (parallel->operand[0].value > operations_after(parallel))
		return 1 + operations_after(parallel); /* a damaged module; the operation was refused */
	for (u32 i = 1; i <= parallel->operand[0].value; i++) {
		u32 cpu = operation_at(start + i)->cpu;

		set |= 1ul << (cpu < arch_nr_cpus ? cpu : 0);
	}
	agent.parallel = true;
	parallel_counts(&before);
	smp_call_many(set, parallel_run_here, (void *)parallel);
	parallel_counts(&after);
	agent.parallel = false;
	if (agent.serial && agent.record->flags & KVMAP_BOOT_TICKS)
		console_parallel(parallel->line, &before, &after);
	return (u32)parallel->operand[0].value + 1;
}

u32 operation_run(const struct kvmap_operation *script)
{
	if (script->opcode == KVMAP_OP_PARALLEL)
		return parallel_run(script);
	if (script->cpu && script->cpu < arch_nr_cpus)
		smp_call(script->cpu, operation_run_here, (void *)script);
	else
		operation_run_here((void *)script);
	return 1;
}
