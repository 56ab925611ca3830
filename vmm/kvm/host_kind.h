/* SPDX-License-Identifier: MIT */
/*
 * host_kind.h: the kind of the host's KVM, by its loaded module. (CPU flags do not show it: PVM needs no vmx
 * or svm.)
 */
#ifndef VMM_KVM_HOST_KIND_H
#define VMM_KVM_HOST_KIND_H

#include <stdbool.h>

struct host_kind {
	const char *module; /* "kvm_pvm", "kvm_intel", "kvm_amd", or "kvm" if none of them is loaded */
	bool hardware;      /* the guest runs on VT-x or SVM */
};

/* `modules`: /sys/module; another folder in tests. */
struct host_kind host_kind_find(const char *modules);

#endif
