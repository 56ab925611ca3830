/* SPDX-License-Identifier: MIT */
/*
 * test_stats.c: KVM's own counts, from files as the kernel has them and from ones that lie.
 */
#define _GNU_SOURCE
#include "stage2/stats.h"

#include <criterion/criterion.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE 48

/* Header, descriptors from 64 on, values from 4096 on. */
static int make_file(struct kvm_stats_header header, const char *const *names, unsigned int count)
{
	int fd = memfd_create("stats", MFD_CLOEXEC);

	cr_assert(fd >= 0 && ftruncate(fd, 8192) == 0);
	cr_assert_eq(pwrite(fd, &header, sizeof(header), 0), (ssize_t)sizeof(header));
	for (unsigned int i = 0; i < count; i++) {
		struct kvm_stats_desc about = { .offset = i * 8, .size = 1 };
		off_t at = 64 + (off_t)(i * (sizeof(about) + NAME_SIZE));
		uint64_t value = 100 + i;

		cr_assert(pwrite(fd, &about, sizeof(about), at) > 0 &&
			  pwrite(fd, names[i], strlen(names[i]) + 1, at + (off_t)sizeof(about)) > 0 &&
			  pwrite(fd, &value, sizeof(value), 4096 + i * 8) > 0);
	}
	return fd;
}

static const char *const names[] = { "mmu_shadow_zapped", "pages_4k", "pages_2m", "pages_1g" };
static const struct kvm_stats_header sound = {
	.name_size = NAME_SIZE, .num_desc = 4, .desc_offset = 64, .data_offset = 4096
};

Test(stats, pages_are_found_by_name)
{
	struct stage2_stats stats;
	struct error error;

	cr_assert_eq(stage2_stats_read(make_file(sound, names, 4), &stats, &error), 0);
	cr_expect_eq(stats.pages[1], 101);
	cr_expect_eq(stats.pages[2], 102);
	cr_expect_eq(stats.pages[3], 103);
}

Test(stats, what_cannot_be_is_refused)
{
	struct kvm_stats_header many = sound, wide = sound, far = sound;
	struct stage2_stats stats;
	struct error error;

	many.num_desc = ~0u;
	wide.name_size = 1 << 20;
	far.data_offset = ~0u;
	cr_expect_eq(stage2_stats_read(make_file(many, names, 4), &stats, &error), -1);
	cr_expect_eq(stage2_stats_read(make_file(wide, names, 4), &stats, &error), -1);
	cr_expect_eq(stage2_stats_read(make_file(far, names, 4), &stats, &error), -1);
	cr_expect_eq(stage2_stats_read(make_file(sound, names, 3), &stats, &error), -1, "one is missing");
}

Test(stats, of_another_process_they_stand_in_debugfs)
{
	char folder[] = "/tmp/kvmap-stats-XXXXXX", path[128];
	struct stage2_stats stats;
	struct error error;

	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/123-7", folder);
	cr_assert_eq(mkdir(path, 0700), 0);
	for (unsigned int i = 1; i < 4; i++) {
		FILE *file;

		snprintf(path, sizeof(path), "%s/123-7/%s", folder, names[i]);
		file = fopen(path, "w");
		cr_assert(file && fprintf(file, "%u\n", i * 5) > 0 && fclose(file) == 0);
	}
	cr_expect_eq(stage2_stats_of_process(folder, 123, &stats, &error), 0);
	cr_expect_eq(stats.pages[2], 10);
	cr_expect_eq(stage2_stats_of_process(folder, 12, &stats, &error), -1);
	snprintf(path, sizeof(path), "rm -r %s", folder);
	cr_assert_eq(system(path), 0);
}
