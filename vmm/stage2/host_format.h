/* SPDX-License-Identifier: MIT */
/*
 * host_format.h: in which format this host's KVM keeps its second stage.
 */
#ifndef VMM_STAGE2_HOST_FORMAT_H
#define VMM_STAGE2_HOST_FORMAT_H

#include "stage2/stage2.h"

/* modules: "/sys/module"; cpuinfo: "/proc/cpuinfo". A file that cannot be read counts as shadow paging,
 * and as 52 bits. */
struct stage2_format stage2_host_format(const char *modules, const char *cpuinfo);

/* From CPUID leaf 8000_001Fh: the C-bit as a mask, of a processor that has SME or SEV; else 0. */
uint64_t stage2_encryption_bit(uint32_t eax, uint32_t ebx);

#endif
