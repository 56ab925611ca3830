/* SPDX-License-Identifier: MIT */
#include "stage2/on_demand.h"

void stage2_on_demand_open(struct stage2_on_demand *on_demand)
{
	if (!on_demand->opened && stage2_reader_open(&on_demand->reader, &on_demand->no_reader) < 0)
		on_demand->reader = NULL;
	on_demand->opened = true;
}

const struct stage2 *stage2_on_demand_read(struct stage2_on_demand *on_demand, pid_t pid, int vm_fd,
					   struct error *error)
{
	stage2_destroy(&on_demand->stage2);
	stage2_on_demand_open(on_demand);
	if (!on_demand->reader) {
		*error = on_demand->no_reader;
		return NULL;
	}
	if (stage2_read(on_demand->reader, pid, vm_fd, &on_demand->stage2, error) < 0)
		return NULL;
	return &on_demand->stage2;
}

void stage2_on_demand_close(struct stage2_on_demand *on_demand)
{
	stage2_destroy(&on_demand->stage2);
	stage2_reader_close(on_demand->reader);
	*on_demand = (struct stage2_on_demand){ 0 };
}
