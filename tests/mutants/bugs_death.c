/* SPDX-License-Identifier: MIT */
/*
 * bugs_death.c: a guest that dies in the middle of an operation, at an instruction that the script chooses.
 */
#include "bugs_parts.h"

#include "agent/agent.h"
#include "agent/variables.h"
#include "arch/percpu.h"
#include "arch/x86_64/handlers.h"
#include "arch/traps.h"

#define TRAP_DB   1
#define RFLAGS_TF 0x100

void __wrap_trap_handle(struct registers *registers);
void __real_trap_handle(struct registers *registers);

/* Instructions that are left, and the operation that is not counted: the one that runs the bug. */
static u64 left;
static u32 own_line;

/* The guest is stepped: a #DB after each instruction of the operations that follow on this CPU. */
void __wrap_trap_handle(struct registers *registers)
{
	u32 line = agent_inside[arch_cpu()];

	if (registers->vector != TRAP_DB || !own_line)
		return __real_trap_handle(registers);
	if (line && line != own_line && !--left)
		__real_trap_handle(registers);
}

/* The script's first variable has as many bytes as the following operations have instructions left. */
u32 die_soon(void)
{
	left = agent_variables[0].size;
	own_line = agent_inside[arch_cpu()];
	asm volatile("pushfq; orq %0, (%%rsp); popfq" : : "i"(RFLAGS_TF) : "memory", "cc");
	return KVMAP_OK;
}
