/* SPDX-License-Identifier: MIT */
#include "agent/text.h"
#include "arch/machine.h"
#include "kvmap/ports.h"
#include "lib/platform.h"

void panic(const char *why)
{
	text("kvmap guest: cannot boot: ");
	text(why);
	text("\n");
	machine_exit(KVMAP_EXIT_OOPS);
}
