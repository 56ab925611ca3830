/* SPDX-License-Identifier: MIT */
/*
 * machine_vm.h: the machine as a struct control_vm.
 */
#ifndef VMM_CONTROL_MACHINE_VM_H
#define VMM_CONTROL_MACHINE_VM_H

#include "control/requests.h"
#include "machine/machine.h"

/*
 * Fills *out except `hello`. The machine is borrowed; it was created `holdable` and does not run now. The
 * descriptors of its memory are read-only.
 */
int control_vm_open(struct machine *machine, struct control_vm *out, struct error *error);

/* Closes the descriptors; all zero is allowed. */
void control_vm_close(struct control_vm *vm);

#endif
