/* SPDX-License-Identifier: MIT */
/*
 * traps.c: an exception ends an access of access.h, or the kernel.
 */
#include "arch/access.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/event_log.h"
#include "arch/x86_64/handlers.h"
#include "arch/x86_64/hold.h"
#include "arch/x86_64/percpu.h"
#include "arch/x86_64/pgtable.h"
#include "arch/traps.h"
#include "lib/platform.h"
#include "mm/arch.h"

extern const char access_begin[], access_end[], access_failed[];

void access_invalidate(u64 address)
{
	invlpg(address);
	if (unlikely(log_is_on()))
		log_number(KVMAP_LOG_INVLPG, address >> PAGE_SHIFT);
}

/* If the fault is one of an access: makes the access return 1, and returns true. */
static bool access_resume(struct registers *registers, u64 fault_address)
{
	u64 rip = registers->rip;
	bool in_access = rip >= (u64)access_begin && rip < (u64)access_end;
	bool fetch = rip == fault_address;
	struct cpu *cpu = this_cpu();

	if (!cpu->access_rsp || (!in_access && !fetch))
		return false;
	cpu->fault.address = fault_address;
	cpu->fault.rip = rip;
	cpu->fault.error_code = registers->error_code;
	registers->rip = (u64)access_failed;
	registers->rsp = cpu->access_rsp;
	return true;
}

/*
 * The page tables allow the access: the TLB held an older translation, which the fault has invalidated (SDM
 * vol. 3A 4.10.4.3).
 */
static bool is_spurious(u64 address, u64 error)
{
	return (error & ~(PF_WRITE | PF_FETCH)) == PF_PRESENT &&
	       pgtable_allows(address, error & PF_WRITE, error & PF_FETCH);
}

/* A spurious interrupt must not be acknowledged (SDM vol. 3A 11.9). */
static void interrupt_handle(u32 vector, u64 rip)
{
	if (vector == VECTOR_SPURIOUS)
		return;
	apic_eoi();
	irq_enter();
	if (vector == VECTOR_WORK) {
		interrupt_work();
	} else {
		shootdown_handle();
		hold_handle(rip);
	}
	irq_exit();
}

/*
 * A non-canonical address raises #GP, which does not set CR2; the accesses of access.S have their address in
 * RDI.
 */
void trap_handle(struct registers *registers)
{
	u64 address = 0;

	if (registers->vector >= VECTOR_IPI)
		return interrupt_handle((u32)registers->vector, registers->rip);
	if (registers->vector == TRAP_PF) {
		address = read_cr2();
		if (is_spurious(address, registers->error_code) || access_resume(registers, address))
			return;
	} else if (registers->vector == TRAP_GP) {
		address = registers->rdi;
		if (access_resume(registers, address))
			return;
		address = 0;
	} else if (registers->vector == TRAP_DF) {
		address = read_cr2();
	}
	oops(registers, address);
}

const char *const register_names[REGISTER_SETS][REGISTERS_IN_SET] = {
	{ "rax", "rbx", "rcx", "rdx", "rsi", "rdi" },
	{ "rbp", "rsp", "r8", "r9", "r10", "r11" },
	{ "r12", "r13", "r14", "r15", "rflags", "cr3" },
};

void registers_list(const struct registers *r, u64 list[REGISTER_SETS][REGISTERS_IN_SET])
{
	const u64 all[REGISTER_SETS][REGISTERS_IN_SET] = {
		{ r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi },
		{ r->rbp, r->rsp, r->r8, r->r9, r->r10, r->r11 },
		{ r->r12, r->r13, r->r14, r->r15, r->rflags, read_cr3() },
	};

	__builtin_memcpy(list, all, sizeof(all));
}
