/* SPDX-License-Identifier: MIT */
/*
 * stats.h: how many pages KVM says that its second stage has: what is left where the tables cannot be read.
 */
#ifndef VMM_STAGE2_STATS_H
#define VMM_STAGE2_STATS_H

#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>

struct stage2_stats {
	uint64_t pages[4]; /* [1] to [3]: of 4K, 2M, 1G */
};

/*
 * From a VM's binary statistics (KVM_GET_STATS_FD; Documentation/virt/kvm/api.rst 4.133). The header
 * of the descriptor is checked. ERROR_HOST if it has no such numbers.
 */
int stage2_stats_read(int stats_fd, struct stage2_stats *out, struct error *error);

/* Reads those of another process's first VM, from PID-FD/pages_4k in /sys/kernel/debug/kvm (`folder`). */
int stage2_stats_of_process(const char *folder, pid_t pid, struct stage2_stats *out, struct error *error);

#endif
