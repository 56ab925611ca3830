/* SPDX-License-Identifier: MIT */
/*
 * report.h: reports as records in the channel and as lines on the serial port.
 *
 * The lines contain neither addresses chosen by the machine nor times, so that a script prints the same lines
 * on every machine.
 */
#ifndef GUEST_AGENT_REPORT_H
#define GUEST_AGENT_REPORT_H

#include "agent/operations.h"
#include "lib/types.h"
#include "mm/warn.h"

void report_hello(u64 boot_ticks);
/* A refusal of the memory manager, before the result of the operation that caused it. */
void report_warning(const struct operation *operation, const struct refusal *refusal);
/* After a warning for want of page frames: the free blocks of each zone. */
void report_free_blocks(const struct operation *operation);
void report_result(const struct operation *operation, u32 status, u64 ticks);
/* exit: enum kvmap_exit */
void report_bye(u64 hello_tsc, u32 exit);

#endif
