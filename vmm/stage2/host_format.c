/* SPDX-License-Identifier: MIT */
#include "stage2/host_format.h"

#include "machine/host_kind.h"

#include <stdio.h>
#include <string.h>

/* A module's parameter that is Y or 1. */
static bool parameter_is_on(const char *modules, const char *module, const char *parameter)
{
	char path[256];
	FILE *file;
	int first;

	snprintf(path, sizeof(path), "%s/%s/parameters/%s", modules, module, parameter);
	file = fopen(path, "re");
	if (!file)
		return false;
	first = fgetc(file);
	fclose(file);
	return first == 'Y' || first == '1';
}

static enum stage2_kind kind_find(const char *modules)
{
	const char *module = host_kind_find(modules).module;

	if (!strcmp(module, "kvm_intel") && parameter_is_on(modules, module, "ept"))
		return STAGE2_EPT;
	if (!strcmp(module, "kvm_amd") && parameter_is_on(modules, module, "npt"))
		return STAGE2_NPT;
	return STAGE2_SHADOW;
}

/* "address sizes	: 46 bits physical, 48 bits virtual": less than CPUID says where memory is encrypted.
 */
static unsigned int physical_bits_find(const char *cpuinfo)
{
	unsigned int bits = 0;
	char line[4096];
	FILE *file = fopen(cpuinfo, "re");

	if (!file)
		return 52;
	while (!bits && fgets(line, sizeof(line), file))
		if (sscanf(line, "address sizes : %u bits physical", &bits) != 1)
			bits = 0;
	fclose(file);
	return bits >= 32 && bits <= 52 ? bits : 52;
}

struct stage2_format stage2_host_format(const char *modules, const char *cpuinfo)
{
	return (struct stage2_format){ kind_find(modules), physical_bits_find(cpuinfo) };
}

const char *stage2_kind_name(enum stage2_kind kind)
{
	static const char *const names[] = { "EPT", "NPT", "shadow paging" };

	return (unsigned int)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}
