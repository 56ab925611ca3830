/* SPDX-License-Identifier: MIT */
/*
 * vmallocinfo.h: an area in the words of Linux's /proc/vmallocinfo. Private to vmm/report.
 */
#ifndef VMM_REPORT_VMALLOCINFO_H
#define VMM_REPORT_VMALLOCINFO_H

#include "claims/claims.h"
#include "program/symbols.h"

/* "op_vmalloc+0xd/0x20", as Linux's %pS; the bare address where no symbol is near. Returns out. */
const char *vmallocinfo_caller(struct symbols *symbols, uint64_t address, char *out, size_t size);

/*
 * " vmalloc user": the words that Linux has for vm_struct.flags. With `all`, those that only kvmap's guest
 * has follow, and what nobody has a word for as a number. Returns out.
 */
const char *vmallocinfo_flags(uint64_t flags, bool all, char *out, size_t size);

/* " N0=12 N1=4": its pages by node; of frames of others, only where there is one node. Returns out. */
const char *vmallocinfo_nodes(const struct claims *claims, const struct claim_area *area, char *out,
			      size_t size);

#endif
