/* SPDX-License-Identifier: MIT */
/*
 * text.h: strings and numbers on the serial port.
 */
#ifndef GUEST_AGENT_TEXT_H
#define GUEST_AGENT_TEXT_H

#include "lib/types.h"

void text(const char *string);
void text_decimal(u64 number);
/* With 0x, without leading zeros. */
void text_hex(u64 number);
/* In the largest unit that divides it, such as "64 KiB". */
void text_size(u64 bytes);

#endif
