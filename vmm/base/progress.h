/* SPDX-License-Identifier: MIT */
/*
 * progress.h: what the program is doing, for the line that a terminal is shown while a command takes long
 * (commands/progress.h).
 */
#ifndef VMM_BASE_PROGRESS_H
#define VMM_BASE_PROGRESS_H

#include <stddef.h>

/* Begins a phase: "verifying", "reading the page tables". May be called by any thread. */
void progress_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The phase; "" before the first. Returns out. */
const char *progress_text(char *out, size_t size);

#endif
