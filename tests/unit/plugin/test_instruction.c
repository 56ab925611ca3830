/* SPDX-License-Identifier: MIT */
/*
 * test_instruction.c: instructions that flush, as an assembler encodes them, and others that are nearly the same.
 */
#include "plugin/instruction.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define NEXT UINT64_C(0xffffffff80001000)

struct wanted {
	const char *text;
	uint8_t bytes[15];
	size_t size;
	struct flush_instruction is;
};

#define NO NO_REGISTER

static const struct wanted flushes[] = {
	{ "invlpg (%rax)", { 0x0f, 0x01, 0x38 }, 3, { FLUSH_INVLPG, 0, 0, NO, 0, 0, 0, 0 } },
	{ "invlpg (%rdi)", { 0x0f, 0x01, 0x3f }, 3, { FLUSH_INVLPG, 0, 7, NO, 0, 0, 0, 0 } },
	{ "invlpg (%r12)", { 0x41, 0x0f, 0x01, 0x3c, 0x24 }, 5, { FLUSH_INVLPG, 0, 12, NO, 0, 0, 0, 0 } },
	{ "invlpg -8(%rbp)", { 0x0f, 0x01, 0x7d, 0xf8 }, 4, { FLUSH_INVLPG, 0, 5, NO, 0, 0, 0, -8ull } },
	{ "invlpg 0x1000(%rbx,%r9,8)",
	  { 0x42, 0x0f, 0x01, 0xbc, 0xcb, 0x00, 0x10, 0, 0 },
	  9,
	  { FLUSH_INVLPG, 0, 3, 9, 3, 0, 0, 0x1000 } },
	{ "invlpg 0x10(%rip)",
	  { 0x0f, 0x01, 0x3d, 0x10, 0, 0, 0 },
	  7,
	  { FLUSH_INVLPG, 0, NO, NO, 0, 0, 0, NEXT + 0x10 } },
	{ "invlpg 0x2000",
	  { 0x0f, 0x01, 0x3c, 0x25, 0, 0x20, 0, 0 },
	  8,
	  { FLUSH_INVLPG, 0, NO, NO, 0, 0, 0, 0x2000 } },
	{ "invlpg %gs:(%rax)", { 0x65, 0x0f, 0x01, 0x38 }, 4, { FLUSH_INVLPG, 0, 0, NO, 0, 0, 1, 0 } },
	{ "mov %rax, %cr3", { 0x0f, 0x22, 0xd8 }, 3, { FLUSH_CR3, 0, NO, NO, 0, 0, 0, 0 } },
	{ "mov %r10, %cr3", { 0x41, 0x0f, 0x22, 0xda }, 4, { FLUSH_CR3, 10, NO, NO, 0, 0, 0, 0 } },
	{ "mov %rcx, %cr4", { 0x0f, 0x22, 0xe1 }, 3, { FLUSH_CR4, 1, NO, NO, 0, 0, 0, 0 } },
	{ "mov %eax, %cr0", { 0x0f, 0x22, 0xc0 }, 3, { FLUSH_CR0, 0, NO, NO, 0, 0, 0, 0 } },
	{ "invpcid (%rsp), %rdx",
	  { 0x66, 0x0f, 0x38, 0x82, 0x14, 0x24 },
	  6,
	  { FLUSH_INVPCID, 2, 4, NO, 0, 0, 0, 0 } },
	{ "invpcid 16(%rax), %r11",
	  { 0x66, 0x44, 0x0f, 0x38, 0x82, 0x58, 0x10 },
	  7,
	  { FLUSH_INVPCID, 11, 0, NO, 0, 0, 0, 16 } },
};

static const struct wanted others[] = {
	{ "mov %rax, %cr8", { 0x44, 0x0f, 0x22, 0xc0 }, 4 },
	{ "mov %rax, %cr2", { 0x0f, 0x22, 0xd0 }, 3 },
	{ "mov %cr3, %rax", { 0x0f, 0x20, 0xd8 }, 3 },
	{ "swapgs", { 0x0f, 0x01, 0xf8 }, 3 },
	{ "lgdt (%rax)", { 0x0f, 0x01, 0x10 }, 3 },
	{ "crc32 or so", { 0x66, 0x0f, 0x38, 0x81, 0x08 }, 5 },
	{ "prefixes alone", { 0x66, 0x66, 0x66 }, 3 },
	{ "nop", { 0x90 }, 1 },
	{ "nothing", { 0 }, 0 },
};

static void assert_same(const struct flush_instruction *is, const struct flush_instruction *wanted,
			const char *text)
{
	cr_assert_eq(is->kind, wanted->kind, "%s: kind %d", text, is->kind);
	cr_assert_eq(is->value, wanted->value, "%s: value %d", text, is->value);
	cr_assert_eq(is->base, wanted->base, "%s: base %d", text, is->base);
	cr_assert_eq(is->index, wanted->index, "%s: index %d", text, is->index);
	cr_assert_eq(is->scale, wanted->scale, "%s: scale %u", text, is->scale);
	cr_assert_eq(is->is_fs, wanted->is_fs, "%s", text);
	cr_assert_eq(is->is_gs, wanted->is_gs, "%s", text);
	cr_assert_eq(is->offset, wanted->offset, "%s: offset 0x%llx", text, (unsigned long long)is->offset);
}

Test(plugin_instruction, flushes_are_decoded_with_their_operands)
{
	for (size_t i = 0; i < sizeof(flushes) / sizeof(flushes[0]); i++) {
		struct flush_instruction is;

		cr_assert(flush_instruction_decode(flushes[i].bytes, flushes[i].size, NEXT, &is), "%s",
			  flushes[i].text);
		assert_same(&is, &flushes[i].is, flushes[i].text);
	}
}

Test(plugin_instruction, other_instructions_are_none)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct flush_instruction is;

		cr_assert_not(flush_instruction_decode(others[i].bytes, others[i].size, NEXT, &is), "%s",
			      others[i].text);
	}
}

Test(plugin_instruction, bytes_that_end_too_early_are_not_read)
{
	for (size_t i = 0; i < sizeof(flushes) / sizeof(flushes[0]); i++)
		for (size_t size = 0; size < flushes[i].size; size++) {
			struct flush_instruction is;
			/* AddressSanitizer sees a read past its end. */
			uint8_t *bytes = size ? malloc(size) : NULL;

			if (size)
				memcpy(bytes, flushes[i].bytes, size);
			flush_instruction_decode(bytes, size, NEXT, &is);
			free(bytes);
		}
}
