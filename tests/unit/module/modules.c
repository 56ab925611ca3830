/* SPDX-License-Identifier: MIT */
#include "modules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1u << 20)

struct module_bytes module_bytes_read(const char *name)
{
	const char *folder = getenv("MODULES");
	struct module_bytes out = { malloc(FILE_MAX), 0 };
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : ".", name);
	file = fopen(path, "rb");
	if (!file || !out.bytes) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(2);
	}
	out.size = fread(out.bytes, 1, FILE_MAX, file);
	fclose(file);
	return out;
}

static bool find(void *context, const char *name, uint64_t *address_out)
{
	for (const struct module_export *export = context; export->name; export ++) {
		if (!strcmp(export->name, name)) {
			*address_out = export->address;
			return true;
		}
	}
	return false;
}

struct module_exports module_exports_of(const struct module_export *exports)
{
	return (struct module_exports){ find, (void *)exports };
}
