/* SPDX-License-Identifier: MIT */
#include "plugin/instruction.h"

#include <string.h>

struct bytes {
	const uint8_t *at;
	size_t left;
};

/* Past the end it is 0, which is part of no such instruction; the caller checks `left`. */
static uint8_t take(struct bytes *bytes)
{
	if (!bytes->left)
		return 0;
	bytes->left--;
	return *bytes->at++;
}

static bool is_prefix(uint8_t byte)
{
	static const uint8_t prefixes[] = {
		0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3
	};

	return memchr(prefixes, byte, sizeof(prefixes)) != NULL;
}

/* The memory operand after a ModRM byte (SDM vol. 2A 2.1.5). False: the bytes end before it does. */
static bool take_operand(struct bytes *bytes, uint8_t modrm, uint8_t rex, uint64_t next,
			 struct flush_instruction *out)
{
	unsigned int mod = modrm >> 6, base = modrm & 7, size;
	bool has_sib = base == 4;
	uint32_t offset = 0;

	out->index = NO_REGISTER;
	if (has_sib) {
		uint8_t sib = take(bytes);
		unsigned int index = (sib >> 3 & 7) | (rex & 2 ? 8 : 0);

		base = sib & 7;
		out->scale = sib >> 6;
		if (index != 4)
			out->index = (int8_t)index;
	}
	size = mod == 1 ? 1 : mod == 2 || base == 5 ? 4 : 0;
	if (mod == 0 && base != 5)
		size = 0;
	if (bytes->left < size)
		return false;
	out->base = mod == 0 && base == 5 ? NO_REGISTER : (int8_t)(base | (rex & 1 ? 8 : 0));
	for (unsigned int i = 0; i < size; i++)
		offset |= (uint32_t)take(bytes) << (8 * i);
	out->offset = size == 1 ? (uint64_t)(int64_t)(int8_t)offset : (uint64_t)(int64_t)(int32_t)offset;
	if (mod == 0 && base == 5 && !has_sib)
		out->offset += next;
	return true;
}

/* MOV to a control register (0F 22). The mod bits are ignored. REX.R makes it CR8 and above. */
static bool decode_mov(uint8_t modrm, uint8_t rex, struct flush_instruction *out)
{
	if (rex & 4)
		return false;
	out->value = (int8_t)((modrm & 7) | (rex & 1 ? 8 : 0));
	switch (modrm >> 3 & 7) {
	case 0: out->kind = FLUSH_CR0; return true;
	case 3: out->kind = FLUSH_CR3; return true;
	case 4: out->kind = FLUSH_CR4; return true;
	default: return false;
	}
}

bool flush_instruction_decode(const uint8_t *bytes, size_t size, uint64_t next, struct flush_instruction *out)
{
	struct bytes rest = { bytes, size };
	uint8_t byte = take(&rest), rex = 0, modrm;

	*out = (struct flush_instruction){ .base = NO_REGISTER, .index = NO_REGISTER };
	for (; is_prefix(byte); byte = take(&rest)) {
		out->is_fs = byte == 0x64 || (out->is_fs && byte != 0x65);
		out->is_gs = byte == 0x65 || (out->is_gs && byte != 0x64);
	}
	if ((byte & 0xf0) == 0x40) {
		rex = byte;
		byte = take(&rest);
	}
	if (byte != 0x0f || !rest.left)
		return false;
	byte = take(&rest);
	modrm = take(&rest);
	if (byte == 0x22)
		return decode_mov(modrm, rex, out);
	if (byte == 0x01 && modrm >> 6 != 3 && (modrm >> 3 & 7) == 7) {
		out->kind = FLUSH_INVLPG;
		return take_operand(&rest, modrm, rex, next, out);
	}
	/* 0F 38 82 /r */
	if (byte != 0x38 || modrm != 0x82 || !rest.left)
		return false;
	modrm = take(&rest);
	if (modrm >> 6 == 3)
		return false;
	out->kind = FLUSH_INVPCID;
	out->value = (int8_t)((modrm >> 3 & 7) | (rex & 4 ? 8 : 0));
	return take_operand(&rest, modrm, rex, next, out);
}
