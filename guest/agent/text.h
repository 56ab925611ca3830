/* SPDX-License-Identifier: MIT */
/*
 * text.h: words and numbers on the serial port.
 */
#ifndef GUEST_AGENT_TEXT_H
#define GUEST_AGENT_TEXT_H

#include "lib/types.h"

void text(const char *string);
void text_decimal(u64 number);
/* 0x and as many digits as it takes */
void text_hex(u64 number);
/* "64 KiB": in the largest unit in which it is whole */
void text_size(u64 bytes);

#endif
