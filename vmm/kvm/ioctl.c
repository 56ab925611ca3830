/* SPDX-License-Identifier: MIT */
/*
 * ioctl.c: an ioctl with its name in the error.
 */
#include "kvm/ioctl.h"

#include <errno.h>
#include <sys/ioctl.h>

int kvm_ioctl_named(int fd, unsigned long command, const char *name, unsigned long argument,
		    struct error *error)
{
	int result;

	do
		result = ioctl(fd, command, argument);
	while (result < 0 && errno == EINTR);
	if (result < 0)
		return error_set(error, ERROR_HOST, errno, 0, "%s failed", name);
	return result;
}
