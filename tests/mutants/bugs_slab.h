/* SPDX-License-Identifier: MIT */
/*
 * bugs_slab.h: bugs that need slab_debug, or objects of the script.
 */
#ifndef TESTS_MUTANTS_BUGS_SLAB_H
#define TESTS_MUTANTS_BUGS_SLAB_H

#include "lib/types.h"

u32 freed_written(void);
u32 object_record(void);
u32 second_half(void);
u32 free_link(void);
u32 block_slack(void);

#endif
