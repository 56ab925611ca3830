/* SPDX-License-Identifier: MIT */
/*
 * libedit.h: whether libedit can be used. Its functions are those of <histedit.h>.
 */
#ifndef VMM_SHELL_LIBEDIT_H
#define VMM_SHELL_LIBEDIT_H

#include "base/error.h"

/* ERROR_HOST: it is not installed, or lacks a function. */
int libedit_load(struct error *error);

#endif
