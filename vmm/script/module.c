/* SPDX-License-Identifier: MIT */
/*
 * module.c: PVH module 0: boot record, operations, strings, names of variables.
 */
#include "script/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void script_fill_seeds(struct kvmap_operation *operations, size_t count, uint64_t seed)
{
	for (size_t i = 0; i < count; i++)
		if (operations[i].opcode == KVMAP_OP_FRAGMENT && !operations[i].operand[2].value)
			operations[i].operand[2].value = seed;
}

bool script_interrupts(const struct script *script)
{
	for (size_t i = 0; i < script->operations.count; i++)
		if (script->operations.items[i].context == KVMAP_CONTEXT_INTERRUPT)
			return true;
	return false;
}

size_t script_names_size(const struct script *script)
{
	size_t size = 0;

	for (size_t i = 0; i < script->variables.count; i++)
		size += strlen(script->variables.items[i]) + 1;
	return size;
}

void script_fill_names(const struct script *script, char *out)
{
	for (size_t i = 0; i < script->variables.count; i++) {
		size_t length = strlen(script->variables.items[i]) + 1;

		memcpy(out, script->variables.items[i], length);
		out += length;
	}
}

int script_module(const struct script *script, const struct kvmap_boot *boot, void **module_out,
		  size_t *size_out, struct error *error)
{
	size_t operations_size = script->operations.count * sizeof(struct kvmap_operation);
	size_t operations_offset = (sizeof(struct kvmap_boot) + 7) & ~(size_t)7;
	size_t strings_offset = operations_offset + operations_size;
	size_t names_offset = strings_offset + script->strings.count;
	size_t size = names_offset + script_names_size(script);
	struct kvmap_boot header = *boot;
	uint8_t *module;

	if (size > UINT32_MAX)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: a script of %zu bytes compiled; at most 4 GiB fit", script->path, size);
	module = calloc(1, size);
	if (!module)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for the boot module");
	header.magic = KVMAP_BOOT_MAGIC;
	header.version = KVMAP_BOOT_VERSION;
	header.size = (uint32_t)size;
	if (script_interrupts(script))
		header.flags |= KVMAP_BOOT_INTERRUPTS;
	header.variable_count = (uint32_t)script->variables.count;
	header.operations_offset = (uint32_t)operations_offset;
	header.operation_count = (uint32_t)script->operations.count;
	header.strings_offset = (uint32_t)strings_offset;
	header.strings_size = (uint32_t)script->strings.count;
	header.names_offset = script->variables.count ? (uint32_t)names_offset : 0;
	memcpy(module, &header, sizeof(header));
	if (operations_size)
		memcpy(module + operations_offset, script->operations.items, operations_size);
	script_fill_seeds((struct kvmap_operation *)(module + operations_offset), script->operations.count,
			  boot->seed);
	if (script->strings.count)
		memcpy(module + strings_offset, script->strings.items, script->strings.count);
	script_fill_names(script, (char *)module + names_offset);
	*module_out = module;
	*size_out = size;
	return 0;
}
