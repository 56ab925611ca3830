/* SPDX-License-Identifier: MIT */
/*
 * vmallocinfo.h: the fields of Linux's /proc/vmallocinfo. Private to vmm/report.
 */
#ifndef VMM_REPORT_VMALLOCINFO_H
#define VMM_REPORT_VMALLOCINFO_H

#include "claims/claims.h"
#include "program/symbols.h"

/* "op_vmalloc+0xd/0x20", as Linux's %pS; the address without a symbol. Returns out. */
const char *vmallocinfo_caller(struct symbols *symbols, uint64_t address, char *out, size_t size);

/*
 * " vmalloc user": Linux's words for vm_struct.flags. With `all` also the flags that only kvmap's guest has,
 * and the remaining bits as a number. Returns out.
 */
const char *vmallocinfo_flags(uint64_t flags, bool all, char *out, size_t size);

/* " N0=12 N1=4": pages by numa_node. With several nodes only of areas that own their frames. Returns out. */
const char *vmallocinfo_nodes(const struct claims *claims, const struct claim_area *area, char *out,
			      size_t size);

#endif
