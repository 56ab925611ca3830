/* SPDX-License-Identifier: MIT */
#ifndef GUEST_AGENT_OOPS_H
#define GUEST_AGENT_OOPS_H

#include "arch/x86_64/traps.h"

/* Reports an exception that nobody expected, and ends. address: CR2 where the exception has one. */
_Noreturn void oops(const struct registers *registers, u64 address);

#endif
