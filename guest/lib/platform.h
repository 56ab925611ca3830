/* SPDX-License-Identifier: MIT */
/*
 * platform.h: functions that lower rooms call and higher rooms implement.
 */
#ifndef GUEST_LIB_PLATFORM_H
#define GUEST_LIB_PLATFORM_H

#include "lib/types.h"

struct kvmap_boot;
struct registers;

/* ---- called by guest/lib, implemented by guest/arch ---- */

/*
 * One iteration of a wait for another CPU. Takes part in a TLB shootdown if one is pending, so that two CPUs
 * that wait for each other cannot deadlock.
 */
void arch_relax(void);

/* ---- called by guest/arch, implemented by guest/agent ---- */

/*
 * Runs the kernel, then ends the machine. Called when RAM is mapped, and mem_map and memblock are set.
 * record: the boot record, not yet checked, in `size` bytes of PVH module 0; entry_tsc: the TSC at the first
 * instruction.
 */
_Noreturn void kernel_main(const struct kvmap_boot *record, u64 size, u64 entry_tsc);

/* Ends a boot that cannot continue: prints one line on the serial port and exits with KVMAP_EXIT_OOPS. */
_Noreturn void panic(const char *why);

/*
 * Reports an unexpected exception and exits with KVMAP_EXIT_OOPS. address: CR2 if the exception sets it, else
 * 0.
 */
_Noreturn void oops(const struct registers *registers, u64 address);

/* Stops this vCPU until the host has answered; bell: enum kvmap_doorbell. Does nothing without a channel. */
void doorbell_ring(u32 bell);

#endif
