/* SPDX-License-Identifier: MIT */
/*
 * sections.h: addresses that guest.ld and head.S define. text_end and rodata_end are not page-aligned.
 */
#ifndef GUEST_ARCH_PUBLIC_SECTIONS_H
#define GUEST_ARCH_PUBLIC_SECTIONS_H

extern const char text_start[], text_end[];
extern const char rodata_start[], rodata_end[];
extern const char data_start[], image_end[];

/* Lowest byte of the boot CPU's stack; the page below it is unmapped. */
extern const char stack_bottom[];

#endif
