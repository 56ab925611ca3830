/* SPDX-License-Identifier: MIT */
#include "agent/panic.h"
#include "agent/text.h"
#include "arch/x86_64/machine.h"
#include "kvmap/ports.h"

void panic(const char *why)
{
	text("kvmap guest: cannot boot: ");
	text(why);
	text("\n");
	machine_exit(KVMAP_EXIT_OOPS);
}
