/* SPDX-License-Identifier: MIT */
/*
 * trampoline.h: the start address of CPUs, for C and for the assembler.
 */
#ifndef GUEST_ARCH_TRAMPOLINE_H
#define GUEST_ARCH_TRAMPOLINE_H

/* A page below 1 MiB that neither kvmap's boot structures nor QEMU's use. */
#define TRAMPOLINE_GPA 0x8000

#endif
