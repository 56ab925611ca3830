/* SPDX-License-Identifier: MIT */
/*
 * report.h: what happened, as records in the channel and as lines on the serial port.
 *
 * The lines tell nothing of where memory lies or how long it took, so that the same script gives the same
 * lines on every machine.
 */
#ifndef GUEST_AGENT_REPORT_H
#define GUEST_AGENT_REPORT_H

#include "agent/operations.h"
#include "lib/types.h"
#include "mm/warn.h"

void report_hello(u64 boot_ticks);
/* What the memory manager refused, of an operation whose result follows. */
void report_warning(const struct operation *operation, const struct refusal *refusal);
void report_result(const struct operation *operation, u32 status, u64 ticks);
/* exit: enum kvmap_exit */
void report_bye(u64 hello_tsc, u32 exit);

#endif
