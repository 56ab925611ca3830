/* SPDX-License-Identifier: MIT */
/*
 * interrupt.c: an interrupt that a CPU sends itself by its local APIC: it works wherever there is one, on
 * hosts that run no INT instruction too.
 *
 * The CPU does not halt for it: it can have come and gone before HLT where STI does not hold it back for one
 * instruction.
 */
#include "arch/interrupt.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/handlers.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/percpu.h"

bool interrupts_possible;

void interrupt_run(void (*work)(void *argument), void *argument)
{
	struct cpu *cpu = this_cpu();
	u64 flags = irq_save();

	cpu->interrupt_argument = argument;
	WRITE_ONCE(cpu->interrupt_work, work);
	irq_on();
	apic_send_self();
	while (READ_ONCE(cpu->interrupt_work))
		asm volatile("pause" : : : "memory");
	irq_restore(flags);
}

void interrupt_work(void)
{
	struct cpu *cpu = this_cpu();

	cpu->interrupt_work(cpu->interrupt_argument);
	WRITE_ONCE(cpu->interrupt_work, NULL);
}
