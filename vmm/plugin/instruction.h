/* SPDX-License-Identifier: MIT */
/*
 * instruction.h: the instructions that flush, decoded from their bytes (SDM vol. 2).
 */
#ifndef VMM_PLUGIN_INSTRUCTION_H
#define VMM_PLUGIN_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flush_kind { FLUSH_INVLPG, FLUSH_INVPCID, FLUSH_CR0, FLUSH_CR3, FLUSH_CR4 };

#define NO_REGISTER (-1)

/*
 * A memory operand is at base + (index << scale) + offset. Registers by their numbers: 0 RAX, 1 RCX, 2 RDX, 3 RBX, 4 RSP
 * ... 15 R15.
 */
struct flush_instruction {
	enum flush_kind kind;
	int8_t value; /* the register that a MOV reads, or that has the type of INVPCID */
	int8_t base, index;
	uint8_t scale;
	bool is_fs, is_gs;
	uint64_t offset; /* of an address relative to RIP: with RIP */
};

/*
 * Whether the bytes are an instruction of 64-bit code that flushes. `size` bytes are read at most; next: the address after
 * it. The write of CR0 by LMSW and CLTS changes no bit that matters.
 */
bool flush_instruction_decode(const uint8_t *bytes, size_t size, uint64_t next,
			      struct flush_instruction *out);

#endif
