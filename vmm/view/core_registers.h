/* SPDX-License-Identifier: MIT */
/*
 * core_registers.h: a vCPU's registers as a core's notes hold them. For core_*.c only.
 */
#ifndef VMM_VIEW_CORE_REGISTERS_H
#define VMM_VIEW_CORE_REGISTERS_H

#include "view/core.h"

#include <sys/procfs.h>

/* `thread`: what debuggers tell threads apart by; not 0. */
void core_registers_pack(const struct view_cpu *cpu, int thread, struct elf_prstatus *out);
void core_registers_unpack(const struct elf_prstatus *status, struct view_cpu *cpu);

void core_control_pack(const struct view *view, const struct view_cpu *cpu, struct core_control *out);
void core_control_unpack(const struct core_control *control, struct view_cpu *cpu);

#endif
