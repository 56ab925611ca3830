/* SPDX-License-Identifier: MIT */
/*
 * string.c: functions that the compiler calls in freestanding programs, too. One string instruction each, the
 * fastest loop where ring 0 is emulated.
 */
#include "lib/types.h"

void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);

void *memset(void *to, int value, size_t size)
{
	u64 word = 0x0101010101010101 * (u8)value;
	size_t words = size / sizeof(word), rest = size % sizeof(word);
	void *at = to;

	asm volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(word) : "memory");
	asm volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(word) : "memory");
	return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
	size_t words = size / sizeof(u64), rest = size % sizeof(u64);
	void *at = to;

	asm volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
	asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(rest) : : "memory");
	return to;
}
