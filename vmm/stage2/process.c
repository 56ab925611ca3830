/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "stage2/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

/*
 * Whether the descriptor is a VM: what readlink() returns of an anonymous inode is no path, so no file has that name.
 * *denied is set if the link may not be read: without CAP_SYS_PTRACE not even by root, if the process has more
 * capabilities.
 */
static bool is_vm(int folder, const char *name, bool *denied)
{
	char link[32];
	ssize_t length = readlinkat(folder, name, link, sizeof(link) - 1);

	if (length < 0) {
		*denied |= errno == EACCES || errno == EPERM;
		return false;
	}
	link[length] = '\0';
	return !strcmp(link, "anon_inode:kvm-vm");
}

static int denied_error(pid_t pid, int errnum, struct error *error)
{
	return error_set(
		error, ERROR_PERMISSION, errnum, 0,
		"may not read the descriptors of process %d, which show whether it has a virtual machine: "
		"that needs CAP_SYS_PTRACE: run as root (sudo), in a container with --cap-add SYS_PTRACE",
		(int)pid);
}

/* The process's VMs: how many, the lowest and the highest descriptor. *denied: of those that may be read. */
static int count_vms(int folder, int *lowest_out, int *highest_out, bool *denied)
{
	DIR *directory = fdopendir(dup(folder));
	const struct dirent *entry;
	int count = 0;

	while (directory && (entry = readdir(directory))) {
		int fd = atoi(entry->d_name);

		if (!is_vm(folder, entry->d_name, denied))
			continue;
		if (!count || fd < *lowest_out)
			*lowest_out = fd;
		if (!count || fd > *highest_out)
			*highest_out = fd;
		count++;
	}
	if (directory)
		closedir(directory);
	return count;
}

/* The descriptor of its only VM. */
static int only_vm(int folder, pid_t pid, struct error *error)
{
	bool denied = false;
	int lowest = -1, highest = -1, count = count_vms(folder, &lowest, &highest, &denied);

	if (!count && denied)
		return denied_error(pid, EACCES, error);
	if (!count)
		return error_set(error, ERROR_INPUT, 0, 0, "process %d has no virtual machine", (int)pid);
	if (count > 1)
		return error_set(
			error, ERROR_INPUT, 0, 0,
			"process %d has %d virtual machines, descriptors %d to %d: choose one with --vm FD",
			(int)pid, count, lowest, highest);
	return lowest;
}

static int folder_open(pid_t pid, struct error *error)
{
	char path[64];
	int folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0)
		return folder;
	if (errno == ENOENT)
		return error_set(error, ERROR_INPUT, 0, 0, "there is no process %d", (int)pid);
	return denied_error(pid, errno, error);
}

int process_has_vm(pid_t pid, struct error *error)
{
	int lowest, highest, count, folder = folder_open(pid, error);
	bool denied = false;

	if (folder < 0)
		return error->kind == ERROR_PERMISSION ? -1 : 0;
	count = count_vms(folder, &lowest, &highest, &denied);
	close(folder);
	if (!count && denied)
		return denied_error(pid, EACCES, error);
	return count > 0;
}

static int take_descriptor(pid_t pid, int fd, struct error *error)
{
	int process = pidfd_open(pid, 0), held = process < 0 ? -1 : pidfd_getfd(process, fd, 0),
	    errnum = errno;

	if (process >= 0)
		close(process);
	if (held >= 0)
		return held;
	return error_set(error, errnum == EPERM ? ERROR_PERMISSION : ERROR_HOST, errnum, 0,
			 "cannot take descriptor %d of process %d: run as root, or with CAP_SYS_PTRACE", fd,
			 (int)pid);
}

int process_hold_vm(pid_t pid, int vm_fd, struct error *error)
{
	int folder = folder_open(pid, error), result = -1;
	bool denied = false;
	char name[16];

	if (folder < 0)
		return -1;
	snprintf(name, sizeof(name), "%d", vm_fd);
	if (vm_fd < 0)
		vm_fd = only_vm(folder, pid, error);
	else if (!is_vm(folder, name, &denied))
		vm_fd = denied ? denied_error(pid, EACCES, error)
			       : error_set(error, ERROR_INPUT, 0, 0,
					   "descriptor %d of process %d is no virtual machine", vm_fd,
					   (int)pid);
	if (vm_fd >= 0)
		result = take_descriptor(pid, vm_fd, error);
	close(folder);
	return result;
}
