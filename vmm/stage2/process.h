/* SPDX-License-Identifier: MIT */
/*
 * process.h: the virtual machines of a process, by its descriptors.
 */
#ifndef VMM_STAGE2_PROCESS_H
#define VMM_STAGE2_PROCESS_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/* Whether it has a VM, as far as its descriptors may be looked at. */
bool process_has_vm(pid_t pid);

/*
 * A descriptor of its own on the VM that is descriptor `vm_fd` of the process, -1: on its only one. It keeps
 * the kernel's structures alive; to be closed. ERROR_INPUT if there is no such process, it has no VM, or
 * several; ERROR_PERMISSION if it may not be looked into.
 */
int process_hold_vm(pid_t pid, int vm_fd, struct error *error);

#endif
