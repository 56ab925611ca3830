/* SPDX-License-Identifier: MIT */
/*
 * host_kind.h: which KVM this is. Only loaded modules tell; CPU flags do not (PVM shows neither vmx nor svm).
 */
#ifndef VMM_KVM_HOST_KIND_H
#define VMM_KVM_HOST_KIND_H

#include <stdbool.h>

struct host_kind {
	const char *module; /* "kvm_pvm", "kvm_intel", "kvm_amd", or "kvm" where none of them shows */
	bool hardware;      /* guest code runs on VT-x or SVM */
};

/* Looks below `modules`, which is /sys/module but in tests. */
struct host_kind host_kind_find(const char *modules);

#endif
