/* SPDX-License-Identifier: MIT */
/*
 * ioctl.h: all ioctls go through these macros. They check at compile time that the argument has the size that
 * is coded into the ioctl's number, and name the ioctl in the error.
 */
#ifndef VMM_KVM_IOCTL_H
#define VMM_KVM_IOCTL_H

#include "base/error.h"

#include <assert.h>
#include <linux/ioctl.h>

/* The result of the ioctl, or -1 with ERROR_HOST. Repeated after EINTR. */
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
