/* SPDX-License-Identifier: MIT */
/*
 * file_target.h: a file that a command writes: a core, a boot module. A new file is written beside it and takes
 * its name when it is complete. One descriptor of the folder serves the check, the new file and the rename, so
 * that all are of the same folder.
 */
#ifndef VMM_BASE_FILE_TARGET_H
#define VMM_BASE_FILE_TARGET_H

#include "base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A kind of file that is written. */
struct file_target_kind {
	const char *noun; /* "core" */
	const char *kind; /* "an ELF core": what an old file must be, or it is not replaced */
	mode_t mode;      /* of the new file, less the umask */
	/* Whether a file that begins so, with all its bytes or 64, is of this kind. */
	bool (*is_kind)(const void *start, size_t size);
};

struct file_target {
	const struct file_target_kind *kind;
	const char *path; /* as given, for messages */
	int folder;
	int fd;                  /* of the new file */
	char name[NAME_MAX + 1]; /* in the folder */
	char temporary[NAME_MAX + 1];
	int removed; /* of signals_file_create() */
};

/*
 * Checks `path`, and creates the new file. Symbolic links of this user are followed, those of others refused. A
 * file that exists must be empty or of this kind. `path` and `kind` must live as long as *out. ERROR_INPUT,
 * ERROR_PERMISSION or ERROR_HOST.
 */
int file_target_open(const char *path, const struct file_target_kind *kind, struct file_target *out,
		     struct error *error);

/* Writes all bytes at an offset of the new file. 0, or an errno. */
int file_target_write(const struct file_target *target, const void *bytes, uint64_t size, uint64_t offset);

/*
 * The end of a target. errnum 0: all was written, and the new file gets its name. Otherwise, and if that fails, the
 * new file is removed, the old one is as it was, and *error says why nothing was written; -1.
 */
int file_target_close(struct file_target *target, int errnum, struct error *error);

#endif
