/* SPDX-License-Identifier: MIT */
/*
 * head.h: the head of a script: lines above its first operation that state what machine it needs. Private to
 * vmm/script.
 */
#ifndef VMM_SCRIPT_HEAD_H
#define VMM_SCRIPT_HEAD_H

#include "script/compile.h"

/*
 * Compiles the line if it is one of the head, `cpus 4`. *taken: whether it is. 0, or -1 with the error made.
 * `cpus = vmalloc 4K` is an operation.
 */
int head_compile(struct compile *compile, bool *taken);

#define HEAD_STATEMENTS 7

/* The words that begin such lines, from index 0 on. A variable may have such a name. */
const char *head_word(size_t index);

/* script_check_cpus() for the operations from number `first` on. */
int head_check_cpus(struct compile *compile, size_t first, uint32_t cpus);

#endif
