/* SPDX-License-Identifier: MIT */
/*
 * machine.c: exit port, doorbell port, deliberate crashes.
 */
#include "arch/machine.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/paging.h"
#include "kvmap/operation.h"
#include "kvmap/ports.h"
#include "mm/arch.h"

void machine_exit(u32 code)
{
	outl(KVMAP_PORT_EXIT, code);
	for (;;)
		asm volatile("cli; hlt");
}

void machine_doorbell(u32 bell)
{
	outl(KVMAP_PORT_DOORBELL, bell);
}

static void crash_triple_fault(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) none = { 0, 0 };

	asm volatile("lidt %0; ud2" : : "m"(none));
}

/* Maps the first 2 MiB after RAM, where there is no memory. */
static void *map_no_ram(void)
{
	return paging_map_window(max_pfn << PAGE_SHIFT);
}

/*
 * KVM's emulator does not implement this MMX addition. It is emulated because ring 0 is, or, on other hosts,
 * because its operand is not backed by memory. Needs no CR4 bit.
 */
static void crash_emulation(void)
{
	asm volatile("paddd (%0), %%mm0" : : "r"(map_no_ram()) : "memory");
}

static void crash_hang(void)
{
	for (;;)
		asm volatile("pause");
}

void machine_crash(u32 how)
{
	switch (how) {
	case KVMAP_CRASH_TRIPLE_FAULT: crash_triple_fault(); break;
	case KVMAP_CRASH_EMULATION: crash_emulation(); break;
	case KVMAP_CRASH_MMIO: (void)*(volatile u64 *)map_no_ram(); break;
	case KVMAP_CRASH_HANG: crash_hang(); break;
	case KVMAP_CRASH_OOPS: asm volatile("mov 16, %%rax" : : : "rax"); break;
	}
}
