/* SPDX-License-Identifier: MIT */
/*
 * What is said where /dev/kvm cannot be used.
 */
#include "kvm/kvm.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct error open_fails(const char *path)
{
	struct error error = { 0 };

	cr_assert(eq(int, kvm_open(path, &error), -1));
	cr_expect(eq(ptr, strchr(error.text, '\n'), NULL));
	return error;
}

static void file_make(char path[64], mode_t mode)
{
	int fd;

	strcpy(path, "/tmp/kvmap-device-XXXXXX");
	fd = mkstemp(path);
	cr_assert(ge(int, fd, 0));
	fchmod(fd, mode);
	close(fd);
}

Test(kvm_open, a_missing_device_is_the_hosts_fault_and_says_what_to_load)
{
	struct error error = open_fails("/nonexistent/kvm");

	cr_expect(eq(int, error.kind, ERROR_HOST));
	cr_expect(eq(int, error.errnum, ENOENT));
	expect_text(error.text,
		    "there is no /nonexistent/kvm: leave --kvm away, since the KVM device is /dev/kvm, or "
		    "load the module kvm_intel, kvm_amd or kvm_pvm");
}

Test(kvm_open, a_device_that_may_not_be_opened_is_a_matter_of_permission)
{
	struct error error;
	char path[64];

	file_make(path, 0);
	if (geteuid() == 0)
		cr_assert(eq(int, seteuid(65534), 0));
	error = open_fails(path);
	cr_expect(eq(int, error.kind, ERROR_PERMISSION));
	cr_expect(ne(ptr, strstr(error.text, "add yourself to group kvm or run as root"), NULL));
	if (getuid() == 0)
		cr_assert(eq(int, seteuid(0), 0));
	unlink(path);
}

Test(kvm_open, a_plain_file_is_not_the_device)
{
	struct error error;
	char path[64];

	file_make(path, 0600);
	error = open_fails(path);
	unlink(path);
	cr_expect(eq(int, error.kind, ERROR_HOST));
	cr_expect(eq(int, error.errnum, ENOTTY));
	cr_expect(ne(ptr, strstr(error.text, "is not the KVM device"), NULL));
}

Test(kvm_open, another_device_is_not_the_device)
{
	expect_text(
		open_fails("/dev/null").text,
		"/dev/null is not the KVM device, which is /dev/kvm: leave --kvm away, or load the module kvm_intel, kvm_amd or kvm_pvm");
}

Test(kvm_open, a_directory_is_not_the_device)
{
	expect_text(open_fails("/tmp").text, "/tmp is a directory, not the KVM device");
}

Test(kvm_exit_name, unknown_reasons_have_a_name_too)
{
	expect_text(kvm_exit_name(KVM_EXIT_SHUTDOWN), "KVM_EXIT_SHUTDOWN");
	expect_text(kvm_exit_name(UINT32_MAX), "unknown exit");
}
