/* SPDX-License-Identifier: MIT */
/*
 * machine.h: exit port, doorbell port, deliberate crashes.
 */
#ifndef GUEST_ARCH_PUBLIC_MACHINE_H
#define GUEST_ARCH_PUBLIC_MACHINE_H

#include "lib/types.h"

/* Ends the machine; code: enum kvmap_exit. */
_Noreturn void machine_exit(u32 code);

/* Stops this vCPU until the host has answered; bell: enum kvmap_doorbell. */
void machine_doorbell(u32 bell);

/* Crashes the guest; how: enum kvmap_crash. Returns only if `how` is unknown. */
void machine_crash(u32 how);

#endif
