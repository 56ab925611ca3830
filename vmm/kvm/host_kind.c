/* SPDX-License-Identifier: MIT */
/*
 * host_kind.c: the loaded KVM module.
 */
#include "kvm/host_kind.h"

#include <stdio.h>
#include <unistd.h>

struct host_kind host_kind_find(const char *modules)
{
	/* PVM first: if another module is loaded too, /dev/kvm may be either's, and PVM supports less. */
	static const struct host_kind kinds[] = {
		{ "kvm_pvm", false },
		{ "kvm_intel", true },
		{ "kvm_amd", true },
	};
	char path[256];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", modules, kinds[i].module);
		if (access(path, F_OK) == 0)
			return kinds[i];
	}
	return (struct host_kind){ "kvm", false };
}
