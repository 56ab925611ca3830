/* SPDX-License-Identifier: MIT */
/*
 * core_target.h: the file that a core is written to. A new file is written beside it and takes its name when
 * it is complete. One descriptor of the folder serves the check, the new file and the rename, so that all are
 * of the same folder.
 */
#ifndef VMM_VIEW_CORE_TARGET_H
#define VMM_VIEW_CORE_TARGET_H

#include "base/error.h"

#include <limits.h>

struct core_target {
	int folder;
	int fd;                  /* of the new file */
	char name[NAME_MAX + 1]; /* in the folder */
	char temporary[NAME_MAX + 1];
	int removed; /* of signals_file_create() */
};

/*
 * Checks `path`, and creates the new file (mode 0600). Symbolic links of this user are followed, those of
 * others refused. A file that exists must be empty or an ELF core. ERROR_INPUT, ERROR_PERMISSION or ERROR_HOST.
 */
int core_target_open(const char *path, struct core_target *out, struct error *error);

/* Gives the new file its name. 0, or an errno; then the new file is removed and the old one is as it was. */
int core_target_commit(struct core_target *target);

/* Removes the new file. */
void core_target_abort(struct core_target *target);

/* The error of a core that was not written to `path`. Returns -1. */
int core_target_failed(const char *path, int errnum, struct error *error);

#endif
