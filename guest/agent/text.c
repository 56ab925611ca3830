/* SPDX-License-Identifier: MIT */
#include "agent/text.h"
#include "arch/serial.h"

void text(const char *string)
{
	while (*string)
		serial_put(*string++);
}

static void text_number(u64 number, u32 base)
{
	char digits[21];
	char *first = &digits[sizeof(digits) - 1];

	*first = '\0';
	do
		*--first = "0123456789abcdef"[number % base];
	while (number /= base);
	text(first);
}

void text_decimal(u64 number)
{
	text_number(number, 10);
}

void text_hex(u64 number)
{
	text("0x");
	text_number(number, 16);
}

void text_size(u64 bytes)
{
	static const char *const units[] = { " bytes", " KiB", " MiB", " GiB" };
	u32 unit = 0;

	while (unit < ARRAY_SIZE(units) - 1 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	text_decimal(bytes);
	text(units[unit]);
}
