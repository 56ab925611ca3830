/* SPDX-License-Identifier: MIT */
/*
 * smp.c: CPUs other than CPU 0 are idle unless they have work.
 *
 * An idle CPU accesses only this file's own data, so its TLB needs no flush before it wakes. It sets
 * CPU_IDLE; a CPU that flushes changes that to CPU_IDLE_STALE instead of sending an interrupt. Both sides use
 * locked instructions: either the initiator sees that this CPU is idle, or this CPU is interrupted and
 * flushes at once.
 */
#include "arch/x86_64/smp.h"
#include "arch/cycles.h"
#include "arch/interrupt.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/event_log.h"
#include "arch/x86_64/hold.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/tlb.h"
#include "arch/x86_64/trampoline.h"
#include "lib/platform.h"
#include "mm/arch.h"

#define STACK_SIZE     8192
#define IST_STACK_SIZE 2048
#define TSS_SELECTOR   0x18
#define MSR_GS_BASE    0xc0000101

/* TSC ticks until a CPU is considered dead; seconds on any machine. */
#define START_TIMEOUT (1ul << 34)

struct tss {
	u32 unused;
	u64 rsp[3];
	u64 unused2;
	u64 ist[7];
	u64 unused3;
	u16 unused4;
	u16 io_map;
} __attribute__((packed));

static_assert(sizeof(struct tss) == 104, "SDM vol. 3A 8.7");

struct cpu_entry_area {
	u8 stack[STACK_SIZE];
	u8 ist_stacks[3][IST_STACK_SIZE]; /* #DF, NMI, #MC: as in head.S */
	u64 gdt[5];
	u64 unused;
	struct tss tss;
};

static_assert(sizeof(struct cpu_entry_area) <= CPU_ENTRY_AREA_SIZE, "struct cpu_entry_area");

struct descriptor_pointer {
	u16 limit;
	u64 base;
} __attribute__((packed));

struct cpu cpus[NR_CPUS] = { { .cache = &cpu_caches[0] } };
u32 arch_nr_cpus = 1;

/* Arguments of a CPU that starts. trampoline.S reads stack_top. */
struct starting {
	u64 stack_top;
	struct cpu_entry_area *area;
	struct cpu *cpu;
	volatile u32 online;
};

struct starting *smp_starting;

static u8 *entry_areas;

/* CPUs that work for CPU 0; the last one to finish wakes it. */
static u32 working;

extern const u8 trampoline[], trampoline_end[];
extern const u64 gdt[3];
extern const struct descriptor_pointer idt_pointer;

_Noreturn void ap_main(struct starting *starting);

/* ---- idle ---- */

/*
 * Code of idle CPUs: it is between idle_text_start and idle_text_end, is called from there, or interrupts it.
 * The host checks that an idle CPU is there.
 */
#define __cpuidle __attribute__((noinline, section(".text.idle")))

/*
 * Idles until cpu_wake(). Interrupts must be off. ready(argument), unless NULL, is called as soon as other
 * CPUs see that this one is idle.
 */
static __cpuidle void cpu_idle(struct cpu *cpu, void (*ready)(void *argument), void *argument)
{
	hold_allow(cpu);
	tlb_log(TLB_FLUSH_IDLE | cpu->number, 0, 0, 0);
	if (unlikely(log_is_on()))
		log_number(KVMAP_LOG_IDLE, cpu->number);
	__atomic_exchange_n(&cpu->state, CPU_IDLE, __ATOMIC_SEQ_CST);
	if (ready)
		ready(argument);
	while (!__atomic_exchange_n(&cpu->wake, 0, __ATOMIC_SEQ_CST))
		irq_wait();
	while (!hold_forbid(cpu))
		asm volatile("pause");
	if (__atomic_exchange_n(&cpu->state, CPU_RUNNING, __ATOMIC_SEQ_CST) == CPU_IDLE_STALE)
		tlb_flush_local(NULL, 0);
	tlb_log(TLB_FLUSH_WAKE | cpu->number, 0, 0, 0);
	if (unlikely(log_is_on()))
		log_number(KVMAP_LOG_WAKE, cpu->number);
}

bool cpu_defer_flush(struct cpu *cpu)
{
	u32 state = CPU_IDLE;

	/* A locked instruction in any case: page-table stores before it are visible first. */
	return __atomic_compare_exchange_n(&cpu->state, &state, CPU_IDLE_STALE, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST) ||
	       state == CPU_IDLE_STALE;
}

/* Wakes a CPU that is idle or about to be. */
static void cpu_wake(struct cpu *cpu)
{
	__atomic_store_n(&cpu->wake, 1, __ATOMIC_SEQ_CST);
	apic_send(cpu->number);
}

/* ---- work ---- */

static void cpu_assign(struct cpu *cpu, void (*work)(void *argument), void *argument)
{
	cpu->work = work;
	cpu->argument = argument;
	cpu_wake(cpu);
}

/* CPU 0 idles until the working CPUs have finished. */
static void wait_for_work(void (*ready)(void *argument), void *argument)
{
	irq_off();
	cpu_idle(this_cpu(), ready, argument);
	irq_on();
}

static void wake(void *cpu)
{
	cpu_wake(cpu);
}

void smp_call(u32 cpu, void (*work)(void *argument), void *argument)
{
	cpus[cpu].work = work;
	cpus[cpu].argument = argument;
	working = 1;
	wait_for_work(wake, &cpus[cpu]);
}

void smp_call_many(u64 set, void (*work)(void *argument), void *argument)
{
	u64 others = set & ~1ul;
	u32 nr = 0;

	for (u64 left = others; left; left &= left - 1)
		nr++;
	__atomic_store_n(&working, nr, __ATOMIC_SEQ_CST);
	for (u64 left = others; left; left &= left - 1)
		cpu_assign(&cpus[__builtin_ctzl(left)], work, argument);
	if (set & 1)
		work(argument);
	if (others)
		wait_for_work(NULL, NULL);
}

/*
 * CPU 0 is woken only after this CPU is idle again, so that it never finds another CPU at work that is not
 * counted.
 */
static void work_done(void *unused)
{
	(void)unused;
	if (!__atomic_sub_fetch(&working, 1, __ATOMIC_SEQ_CST))
		cpu_wake(&cpus[0]);
}

static void online(void *starting)
{
	((struct starting *)starting)->online = 1;
}

/* ---- starting ---- */

/* Descriptors 0 to 2 are copied from the boot CPU; each CPU has its own TSS, since LTR makes it busy. */
static void entry_area_fill(struct cpu_entry_area *area)
{
	u64 tss = (u64)&area->tss;

	for (u32 i = 0; i < 3; i++) {
		area->gdt[i] = gdt[i];
		area->tss.ist[i] = (u64)&area->ist_stacks[i + 1];
	}
	area->tss.io_map = sizeof(area->tss);
	area->gdt[3] =
		(sizeof(area->tss) - 1) | (tss & 0xffffff) << 16 | 0x89ul << 40 | (tss >> 24 & 0xff) << 56;
	area->gdt[4] = tss >> 32;
}

void ap_main(struct starting *starting)
{
	const struct descriptor_pointer pointer = { sizeof(starting->area->gdt) - 1,
						    (u64)starting->area->gdt };
	struct cpu *cpu = starting->cpu;

	asm volatile("lgdt %0; lidt %1; ltr %w2"
		     :
		     : "m"(pointer), "m"(idt_pointer), "r"(TSS_SELECTOR)
		     : "memory");
	write_cr4(X86_CR4_PAE | X86_CR4_PGE);
	wrmsr(MSR_GS_BASE, (u64)cpu->number * sizeof(struct cpu));
	apic_enable();
	cpu_idle(cpu, online, starting);
	for (;;) {
		irq_on();
		cpu->work(cpu->argument);
		irq_off();
		cpu_idle(cpu, work_done, NULL);
	}
}

static void cpu_start(u32 number, struct cpu_entry_area *area)
{
	struct starting starting = {
		.stack_top = (u64)&area->stack[STACK_SIZE],
		.area = area,
		.cpu = &cpus[number],
	};
	u64 start = get_cycles();

	entry_area_fill(area);
	cpus[number].number = number;
	cpus[number].cache = &cpu_caches[number];
	smp_starting = &starting;
	apic_start(number, TRAMPOLINE_GPA);
	while (!starting.online) {
		if (get_cycles() - start > START_TIMEOUT)
			panic("a CPU of the boot record does not start");
		asm volatile("pause");
	}
}

static void cpus_start(u32 nr)
{
	__builtin_memcpy(__va(TRAMPOLINE_GPA), trampoline, (u64)(trampoline_end - trampoline));
	arch_nr_cpus = nr;
	apic_init();
	paging_map_identity(true);
	for (u32 i = 1; i < nr; i++)
		cpu_start(i, (void *)(entry_areas + (u64)(i - 1) * CPU_ENTRY_AREA_SIZE));
	paging_map_identity(false);
	arch_flush_ranges(NULL, 0);
	irq_on();
}

void smp_set_entry_areas(u8 *areas)
{
	entry_areas = areas;
}

/* Starts the other CPUs, or, if there are none, sets up the local APIC. */
static __attribute__((noinline)) void interrupts_init(const struct kvmap_boot *record)
{
	interrupts_possible = true;
	/*
	 * kvmap has no 8259A. On other machines firmware may have left a timer running that interrupts
	 * through one, with a vector that has no handler here.
	 */
	if (!(record->flags & KVMAP_BOOT_CHANNEL))
		pic_mask();
	if (record->cpus > 1)
		cpus_start(record->cpus);
	else
		apic_init();
}

void smp_init(const struct kvmap_boot *record)
{
	if (record->cpus > 1 || record->flags & KVMAP_BOOT_INTERRUPTS)
		interrupts_init(record);
}
