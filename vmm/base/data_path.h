/* SPDX-License-Identifier: MIT */
/*
 * data_path.h: where the files are that are installed with the program.
 */
#ifndef VMM_BASE_DATA_PATH_H
#define VMM_BASE_DATA_PATH_H

#include "base/error.h"

#include <stddef.h>

/*
 * The absolute path of a file that belongs to kvmap, "guest/kvmap-guest.elf": in the build folder of the
 * running program, else in PREFIX/share/kvmap. ERROR_INPUT if it is in neither, or if `out` is too small.
 */
int data_path_find(const char *name, char *out, size_t size, struct error *error);

#endif
