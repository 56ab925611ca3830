/* SPDX-License-Identifier: MIT */
/*
 * ioctl.h: the one way to make an ioctl. An argument whose size is not the size that is coded into the
 * ioctl's number does not compile, and a failure names the ioctl.
 */
#ifndef VMM_KVM_IOCTL_H
#define VMM_KVM_IOCTL_H

#include "base/error.h"

#include <assert.h>
#include <linux/ioctl.h>

/* The result of the ioctl, or -1 with ERROR_HOST "NAME: why". Tried again when a signal came. */
int kvm_ioctl_named(int fd, unsigned long command, const char *name, unsigned long argument,
		    struct error *error);

/* An ioctl that takes a pointer. */
#define KVM_IOCTL(fd, command, pointer, error)                                                               \
	({                                                                                                   \
		static_assert(sizeof(*(pointer)) == _IOC_SIZE(command),                                      \
			      #command ": the argument is of another type");                                 \
		kvm_ioctl_named((fd), (command), #command, (unsigned long)(pointer), (error));               \
	})

/* An ioctl that takes a number, or nothing. */
#define KVM_IOCTL_VALUE(fd, command, value, error)                                                           \
	({                                                                                                   \
		static_assert(_IOC_SIZE(command) == 0, #command ": takes a pointer");                        \
		kvm_ioctl_named((fd), (command), #command, (unsigned long)(value), (error));                 \
	})

#endif
