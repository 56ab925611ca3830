/* SPDX-License-Identifier: MIT */
/*
 * interrupt.c: an interrupt that a CPU sends to itself through its local APIC. This works on hosts that do
 * not emulate INT, too.
 *
 * The CPU must not wait for it with HLT: on hosts without the one-instruction shadow of STI, the interrupt
 * can be handled before the HLT.
 */
#include "arch/interrupt.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/handlers.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/percpu.h"
#include "lib/spinlock.h"

bool interrupts_possible;

void interrupt_run(void (*work)(void *argument), void *argument)
{
	struct cpu *cpu = this_cpu();
	u64 flags = irq_save();

	lockdep_assert_none_held();
	cpu->interrupt_argument = argument;
	WRITE_ONCE(cpu->interrupt_work, work);
	irq_on();
	apic_send_self();
	while (READ_ONCE(cpu->interrupt_work))
		asm volatile("pause" : : : "memory");
	irq_restore(flags);
}

#ifdef CHECK_LOCKS

bool interrupt_is_work(void)
{
	return READ_ONCE(this_cpu()->interrupt_work);
}

#endif

void interrupt_work(void)
{
	struct cpu *cpu = this_cpu();

	cpu->interrupt_work(cpu->interrupt_argument);
	WRITE_ONCE(cpu->interrupt_work, NULL);
}
