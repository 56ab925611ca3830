/* SPDX-License-Identifier: MIT */
#include "base/data_path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int data_path_find(const char *name, char *out, size_t size, struct error *error)
{
	/* Relative to the folder of the program: BUILD/vmm/kvmap, PREFIX/bin/kvmap. */
	static const char *const folders[] = { "../", "../share/kvmap/" };
	char self[PATH_MAX], path[PATH_MAX], absolute[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length < 0)
		return error_set(error, ERROR_HOST, errno, 0,
				 "cannot read /proc/self/exe (is /proc mounted?)");
	self[length] = 0;
	*strrchr(self, '/') = 0;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s%s", self, folders[i], name) >= sizeof(path) ||
		    !realpath(path, absolute))
			continue;
		if ((size_t)snprintf(out, size, "%s", absolute) < size)
			return 0;
	}
	return error_set(error, ERROR_INPUT, 0, 0,
			 "%s is not beside the program in %s: build or install all of kvmap", name, self);
}
