/* SPDX-License-Identifier: MIT */
/*
 * machine_vm.h: a machine as those see it that look at it through the control socket.
 */
#ifndef VMM_CONTROL_MACHINE_VM_H
#define VMM_CONTROL_MACHINE_VM_H

#include "control/requests.h"
#include "machine/machine.h"

/*
 * Fills *out but for `hello`. The machine, which is borrowed, was made `holdable` and stands still now. The
 * descriptors can only be read, whoever gets them.
 */
int control_vm_open(struct machine *machine, struct control_vm *out, struct error *error);

/* Closes the descriptors; all zero is allowed. */
void control_vm_close(struct control_vm *vm);

#endif
