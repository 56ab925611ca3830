/* SPDX-License-Identifier: MIT */
#include "stage2/host_format.h"

#include "kvm/host_kind.h"

#include <cpuid.h>
#include <stdio.h>
#include <string.h>

/* Memory encryption (APM vol. 3 E.4.17). */
#define ENCRYPTION_LEAF 0x8000001f

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

uint64_t stage2_encryption_bit(uint32_t eax, uint32_t ebx)
{
	/* EAX: bit 0 SME, bit 1 SEV. EBX, bits 5:0: the C-bit's number. */
	return eax & 3 ? 1ull << (ebx & 63) : 0;
}

static uint64_t encryption_find(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(ENCRYPTION_LEAF, &eax, &ebx, &ecx, &edx) ? stage2_encryption_bit(eax, ebx) : 0;
}

struct stage2_format stage2_host_format(const char *modules, const char *cpuinfo)
{
	struct stage2_format format = { kind_find(modules), physical_bits_find(cpuinfo), 0 };

	if (format.kind == STAGE2_NPT)
		format.encryption = encryption_find();
	return format;
}

const char *stage2_kind_name(enum stage2_kind kind)
{
	static const char *const names[] = { "EPT", "NPT", "shadow paging" };

	return (unsigned int)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}
