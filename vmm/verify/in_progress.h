/* SPDX-License-Identifier: MIT */
/*
 * in_progress.h: the invariants that need not hold in the middle of an operation.
 */
#ifndef VMM_VERIFY_IN_PROGRESS_H
#define VMM_VERIFY_IN_PROGRESS_H

#include "claims/claims.h"

#include <stddef.h>

/*
 * Whether a CPU is in an operation that may break the invariant until it ends. text, `size` bytes: "CPU 0 was in `vfree`
 * (line 3), in which it need not hold"; "" if there is none.
 */
bool in_progress_breaks(const struct claims *claims, unsigned int invariant, char *text, size_t size);

#endif
