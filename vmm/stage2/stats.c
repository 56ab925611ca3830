/* SPDX-License-Identifier: MIT */
#include "stage2/stats.h"

#include <glob.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATISTICS_MAX 4096
#define NAME_MAX_BYTES 256

static const char *const names[4] = { NULL, "pages_4k", "pages_2m", "pages_1g" };

static bool read_at(int fd, void *out, size_t size, uint64_t offset)
{
	return offset < 1 << 24 && pread(fd, out, size, (off_t)offset) == (ssize_t)size;
}

/* Takes the value that a descriptor describes if it is one of `names`: its level, or 0. */
static unsigned int take(int fd, const struct kvm_stats_header *header, uint64_t offset,
			 struct stage2_stats *out)
{
	struct kvm_stats_desc about;
	char name[NAME_MAX_BYTES + 1] = "";

	if (!read_at(fd, &about, sizeof(about), offset) ||
	    !read_at(fd, name, header->name_size, offset + sizeof(about)))
		return 0;
	for (unsigned int level = 1; level <= 3; level++)
		if (!strcmp(name, names[level]) && read_at(fd, &out->pages[level], sizeof(uint64_t),
							   (uint64_t)header->data_offset + about.offset))
			return level;
	return 0;
}

int stage2_stats_read(int stats_fd, struct stage2_stats *out, struct error *error)
{
	struct stage2_stats stats = { 0 };
	struct kvm_stats_header header;
	unsigned int found = 0;

	if (!read_at(stats_fd, &header, sizeof(header), 0) || header.name_size > NAME_MAX_BYTES ||
	    header.num_desc > STATISTICS_MAX)
		return error_set(error, ERROR_HOST, 0, 0, "KVM's statistics cannot be read");
	for (uint32_t i = 0; i < header.num_desc; i++)
		if (take(stats_fd, &header,
			 header.desc_offset +
				 (uint64_t)i * (sizeof(struct kvm_stats_desc) + header.name_size),
			 &stats))
			found++;
	if (found < 3)
		return error_set(error, ERROR_HOST, 0, 0, "KVM's statistics do not count pages by size");
	*out = stats;
	return 0;
}

static bool read_number(const char *folder, const char *name, uint64_t *out)
{
	char path[512];
	bool done;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	done = fscanf(file, "%" SCNu64, out) == 1;
	fclose(file);
	return done;
}

int stage2_stats_of_process(const char *folder, pid_t pid, struct stage2_stats *out, struct error *error)
{
	struct stage2_stats stats = { 0 };
	char pattern[256];
	glob_t matches;
	bool done;

	snprintf(pattern, sizeof(pattern), "%s/%d-*", folder, (int)pid);
	if (glob(pattern, 0, NULL, &matches))
		return error_set(error, ERROR_HOST, 0, 0, "%s tells nothing of process %d", folder, (int)pid);
	done = true;
	for (unsigned int level = 1; level <= 3; level++)
		done = done && read_number(matches.gl_pathv[0], names[level], &stats.pages[level]);
	globfree(&matches);
	if (!done)
		return error_set(error, ERROR_HOST, 0, 0, "%s does not count the pages of process %d", folder,
				 (int)pid);
	*out = stats;
	return 0;
}
