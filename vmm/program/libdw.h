/* SPDX-License-Identifier: MIT */
/*
 * libdw.h: libdw, which reads debug information.
 */
#ifndef VMM_PROGRAM_LIBDW_H
#define VMM_PROGRAM_LIBDW_H

#include "base/error.h"

/* To be called before functions of libdw. ERROR_HOST: it cannot be loaded. */
int libdw_load(struct error *error);

#endif
