/* SPDX-License-Identifier: MIT */
/*
 * machine.h: how the guest ends, and how it dies on purpose.
 */
#ifndef GUEST_ARCH_MACHINE_H
#define GUEST_ARCH_MACHINE_H

#include "lib/types.h"

/* Ends the machine; code is an enum kvmap_exit. */
_Noreturn void machine_exit(u32 code);

/* Stops the vCPU until the host has answered; bell is an enum kvmap_doorbell. */
void machine_doorbell(u32 bell);

/* Dies as how (enum kvmap_crash) says. Returns only if there is no such way to die. */
void machine_crash(u32 how);

#endif
