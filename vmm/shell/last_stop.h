/* SPDX-License-Identifier: MIT */
/*
 * last_stop.h: a copy of a stopped guest, for a comparison with a later stop.
 */
#ifndef VMM_SHELL_LAST_STOP_H
#define VMM_SHELL_LAST_STOP_H

#include "base/error.h"
#include "view/view.h"

/* Most bytes in use of a guest that is copied: each stop copies them. */
#define LAST_STOP_MAX (64ull << 20)

/*
 * Copies the pages in use and the registers. *out is freed with view_destroy(); NULL, with an error: the guest has too
 * much memory in use, or memory is out.
 */
struct view *last_stop_copy(const struct view *view, struct error *error);

#endif
