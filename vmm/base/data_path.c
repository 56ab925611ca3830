/* SPDX-License-Identifier: MIT */
#include "base/data_path.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Removes the last part of a path. False if there is none. */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

int data_path_find(const char *name, char *out, size_t size, struct error *error)
{
	/* Beside the folder of the program: BUILD/vmm/kvmap, PREFIX/bin/kvmap. */
	static const char *const folders[] = { "", "share/kvmap/" };
	char above[PATH_MAX], path[PATH_MAX];
	/* The kernel has resolved all links of it. */
	ssize_t length = readlink("/proc/self/exe", above, sizeof(above) - 1);

	if (length < 0)
		return error_set(error, ERROR_HOST, errno, 0,
				 "cannot read /proc/self/exe (is /proc mounted?)");
	above[length] = '\0';
	if (go_up(above) && go_up(above)) {
		for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
			int written = snprintf(path, sizeof(path), "%s/%s%s", above, folders[i], name);

			if ((size_t)written >= sizeof(path) || (size_t)written >= size ||
			    access(path, F_OK) < 0)
				continue;
			memcpy(out, path, (size_t)written + 1);
			return 0;
		}
	}
	return error_set(error, ERROR_INPUT, 0, 0,
			 "%s is not beside the program in %s: build or install all of kvmap", name, above);
}
