/* SPDX-License-Identifier: MIT */
/*
 * open.c: opens /dev/kvm; its errors tell the user what to do.
 */
#include "kvm/kvm.h"
#include "kvm/ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define KVM_DEVICE    "/dev/kvm"
#define LOAD_A_MODULE "load the module kvm_intel, kvm_amd or kvm_pvm"

static int open_failed(const char *path, int errnum, struct error *error)
{
	switch (errnum) {
	case ENOENT:
		error_set(error, ERROR_HOST, 0, 0, "there is no %s: %s" LOAD_A_MODULE "%s", path,
			  strcmp(path, KVM_DEVICE) != 0
				  ? "leave --kvm away, since the KVM device is " KVM_DEVICE ", or "
				  : "",
			  strcmp(path, KVM_DEVICE) != 0 ? "" : ", or turn on virtualization in the firmware");
		break;
	case EACCES:
	case EPERM:
		error_set(error, ERROR_PERMISSION, 0, 0,
			  "no permission for %s: add yourself to group kvm or run as root", path);
		break;
	case ENODEV:
	case ENXIO:
		error_set(error, ERROR_HOST, 0, 0, "nothing drives the device %s: " LOAD_A_MODULE, path);
		break;
	case EISDIR: error_set(error, ERROR_HOST, 0, 0, "%s is a directory, not the KVM device", path); break;
	default: return error_set(error, ERROR_HOST, errnum, 0, "cannot open %s", path);
	}
	error->errnum = errnum;
	return -1;
}

int kvm_open(const char *path, struct error *error)
{
	int kvm = open(path, O_RDWR | O_CLOEXEC);
	struct error why;
	int version;

	if (kvm < 0)
		return open_failed(path, errno, error);
	version = KVM_IOCTL_VALUE(kvm, KVM_GET_API_VERSION, 0, &why);
	if (version == KVM_API_VERSION)
		return kvm;
	close(kvm);
	if (version >= 0)
		return error_set(
			error, ERROR_HOST, 0, 0,
			"%s speaks version %d of the KVM API, version %d is needed: use a newer kernel", path,
			version, KVM_API_VERSION);
	error_set(error, ERROR_HOST, 0, 0,
		  "%s is not the KVM device, which is " KVM_DEVICE ": leave --kvm away, or " LOAD_A_MODULE,
		  path);
	error->errnum = why.errnum;
	return -1;
}
