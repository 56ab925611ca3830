/* SPDX-License-Identifier: MIT */
/*
 * lines.h: the lines of the serial report.
 */
#ifndef GUEST_AGENT_LINES_H
#define GUEST_AGENT_LINES_H

#include "agent/operations.h"

void line_hello(u64 boot_ticks);
void line_result(const struct operation *operation, u32 status, u64 ticks);
void line_bye(void);

#endif
