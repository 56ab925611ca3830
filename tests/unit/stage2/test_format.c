/* SPDX-License-Identifier: MIT */
/*
 * test_format.c: which format a host's KVM uses is told by its modules.
 */
#include "stage2/host_format.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char folder[] = "/tmp/kvmap-format-XXXXXX";

static void make_folder(void)
{
	cr_assert(mkdtemp(folder));
}

static void remove_folder(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(format, .init = make_folder, .fini = remove_folder);

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "w");

	cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void load(const char *module, const char *parameter, const char *value)
{
	char name[128];

	cr_assert_eq(mkdir(path_of(module), 0700), 0);
	snprintf(name, sizeof(name), "%s/parameters", module);
	cr_assert_eq(mkdir(path_of(name), 0700), 0);
	if (!parameter)
		return;
	snprintf(name, sizeof(name), "%s/parameters/%s", module, parameter);
	write_file(name, value);
}

static enum stage2_kind kind(void)
{
	return stage2_host_format(folder, "/nowhere").kind;
}

Test(format, intel_with_ept)
{
	load("kvm_intel", "ept", "Y\n");
	cr_expect_eq(kind(), STAGE2_EPT);
}

Test(format, intel_without_ept_shadows)
{
	load("kvm_intel", "ept", "N\n");
	cr_expect_eq(kind(), STAGE2_SHADOW);
}

Test(format, amd_with_npt)
{
	load("kvm_amd", "npt", "1\n");
	cr_expect_eq(kind(), STAGE2_NPT);
}

Test(format, amd_without_npt_shadows)
{
	load("kvm_amd", "npt", "N\n");
	cr_expect_eq(kind(), STAGE2_SHADOW);
}

Test(format, without_either_it_shadows)
{
	load("kvm_pvm", NULL, NULL);
	cr_expect_eq(kind(), STAGE2_SHADOW);
}

Test(format, the_width_is_what_the_kernel_says)
{
	write_file("cpuinfo",
		   "processor\t: 0\nflags\t\t: fpu\naddress sizes\t: 43 bits physical, 48 bits virtual\n");
	cr_expect_eq(stage2_host_format(folder, path_of("cpuinfo")).physical_bits, 43);
}

Test(format, a_width_that_cannot_be_is_not_believed)
{
	write_file("cpuinfo", "address sizes\t: 99 bits physical\n");
	cr_expect_eq(stage2_host_format(folder, path_of("cpuinfo")).physical_bits, 52);
	cr_expect_eq(stage2_host_format(folder, "/nowhere").physical_bits, 52);
}

Test(format, the_bit_of_memory_encryption_is_where_cpuid_says)
{
	cr_expect_eq(stage2_encryption_bit(0, 47), 0, "neither SME nor SEV");
	cr_expect_eq(stage2_encryption_bit(1, 0x16f), 1ull << 47);
	cr_expect_eq(stage2_encryption_bit(2, 51), 1ull << 51);
}
