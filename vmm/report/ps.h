/* SPDX-License-Identifier: MIT */
/*
 * ps.h: the report of `ps`.
 */
#ifndef VMM_REPORT_PS_H
#define VMM_REPORT_PS_H

#include "control/protocol.h"
#include "report/report.h"

#include <stddef.h>

/* A VM and the path of its control socket. Borrowed. */
struct report_vm {
	const struct control_hello *hello;
	const char *socket;
};

void report_ps(struct report *report, const struct report_vm *vms, size_t count);

#endif
