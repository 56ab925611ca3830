/* SPDX-License-Identifier: MIT */
/*
 * process.h: finds the virtual machines of a process by its file descriptors.
 */
#ifndef VMM_STAGE2_PROCESS_H
#define VMM_STAGE2_PROCESS_H

#include "base/error.h"

#include <sys/types.h>

/* 1: the process has a VM. 0: it has none, or there is no such process. -1, ERROR_PERMISSION: its descriptors may not
 * be read. */
int process_has_vm(pid_t pid, struct error *error);

/*
 * Duplicates descriptor `vm_fd` of the process, a VM; with -1 the process must have exactly one VM. The
 * descriptor keeps the kernel's structures alive; the caller closes it. ERROR_INPUT if there is no such
 * process, or it has no VM or several; ERROR_PERMISSION if its descriptors may not be read.
 */
int process_hold_vm(pid_t pid, int vm_fd, struct error *error);

#endif
