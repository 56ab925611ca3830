/* SPDX-License-Identifier: MIT */
/*
 * sections.h: where guest.ld puts the image. text_end and rodata_end are not page-aligned.
 */
#ifndef GUEST_ARCH_SECTIONS_H
#define GUEST_ARCH_SECTIONS_H

extern const char text_start[], text_end[];
extern const char rodata_start[], rodata_end[];
extern const char data_start[], image_end[];

#endif
