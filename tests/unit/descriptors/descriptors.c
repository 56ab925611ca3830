/* SPDX-License-Identifier: MIT */
#include "descriptors.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>

unsigned int open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned int count = 0;

	cr_assert(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

unsigned int open_mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned int count = 0;

	cr_assert(file);
	for (int c; (c = fgetc(file)) != EOF;)
		count += c == '\n';
	fclose(file);
	return count;
}
