/* SPDX-License-Identifier: MIT */
/*
 * trampoline.h: where a CPU starts, for C and for the assembler.
 */
#ifndef GUEST_ARCH_TRAMPOLINE_H
#define GUEST_ARCH_TRAMPOLINE_H

/* A page below 1 MiB that holds nothing else, neither kvmap's boot structures nor QEMU's. */
#define TRAMPOLINE_GPA 0x8000

#endif
