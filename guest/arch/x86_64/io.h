/* SPDX-License-Identifier: MIT */
/*
 * io.h: port I/O.
 */
#ifndef GUEST_ARCH_IO_H
#define GUEST_ARCH_IO_H

#include "lib/types.h"

static inline void outb(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outl(u16 port, u32 value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline u8 inb(u16 port)
{
	u8 value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

#endif
