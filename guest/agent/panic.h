/* SPDX-License-Identifier: MIT */
#ifndef GUEST_AGENT_PANIC_H
#define GUEST_AGENT_PANIC_H

/* For a boot that cannot go on: one line on the serial port, then the end, with KVMAP_EXIT_OOPS. */
_Noreturn void panic(const char *why);

#endif
