/* SPDX-License-Identifier: MIT */
/*
 * apic.c: CPU n has APIC ID n, on kvmap and on QEMU.
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/percpu.h"

#define MSR_APIC_BASE 0x1b
#define BASE_X2APIC   (1u << 10)
#define BASE_ENABLED  (1u << 11)

#define APIC_GPA 0xfee00000

/* Register offsets in xAPIC mode. In x2APIC mode the MSR is MSR_X2APIC + offset / 16. */
#define APIC_EOI      0xb0
#define APIC_SVR      0xf0
#define APIC_ICR      0x300
#define APIC_LINT0    0x350
#define APIC_ICR_HIGH 0x310
#define MSR_X2APIC    0x800

#define SVR_ENABLED (1u << 8)
#define LVT_MASKED  (1u << 16)
#define ICR_INIT    0x4500 /* level asserted */
#define ICR_STARTUP 0x4600
#define ICR_PENDING (1u << 12)

static bool x2apic;
static volatile u8 *registers;

static bool cpu_has_x2apic(void)
{
	u32 eax = 1, ebx, ecx = 0, edx;

	asm("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ecx & 1 << 21;
}

static u32 apic_read(u32 offset)
{
	return *(volatile u32 *)(registers + offset);
}

static void apic_write(u32 offset, u32 value)
{
	if (x2apic)
		wrmsr(MSR_X2APIC + offset / 16, value);
	else
		*(volatile u32 *)(registers + offset) = value;
}

/* Interrupt masks (OCW1) of the master and the slave 8259A. */
#define PIC1_DATA 0x21
#define PIC2_DATA 0xa1

void pic_mask(void)
{
	outb(PIC1_DATA, 0xff);
	outb(PIC2_DATA, 0xff);
}

void apic_init(void)
{
	x2apic = cpu_has_x2apic();
	if (!x2apic)
		registers = paging_map_apic(APIC_GPA);
	apic_enable();
	/* LINT0 delivers the 8259A's interrupts; firmware may have left a timer running. */
	apic_write(APIC_LINT0, LVT_MASKED);
}

void apic_enable(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) | BASE_ENABLED;

	wrmsr(MSR_APIC_BASE, base);
	if (x2apic)
		wrmsr(MSR_APIC_BASE, base | BASE_X2APIC);
	apic_write(APIC_SVR, SVR_ENABLED | VECTOR_SPURIOUS);
}

/*
 * Writes the ICR: one register in x2APIC mode. In xAPIC mode two; writing the lower one sends the interrupt.
 */
static void command(u32 cpu, u32 low)
{
	u64 flags;

	if (x2apic)
		return wrmsr(MSR_X2APIC + APIC_ICR / 16, (u64)cpu << 32 | low);
	flags = irq_save();
	apic_write(APIC_ICR_HIGH, cpu << 24);
	apic_write(APIC_ICR, low);
	while (apic_read(APIC_ICR) & ICR_PENDING)
		asm volatile("pause");
	irq_restore(flags);
}

void apic_send(u32 cpu)
{
	command(cpu, VECTOR_IPI);
}

void apic_send_self(void)
{
	command(arch_cpu(), VECTOR_WORK);
}

void apic_start(u32 cpu, u32 gpa)
{
	command(cpu, ICR_INIT);
	command(cpu, ICR_STARTUP | gpa >> 12);
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}
