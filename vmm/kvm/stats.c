/* SPDX-License-Identifier: MIT */
/*
 * stats.c: one of a vCPU's binary statistics (Documentation/virt/kvm/api.rst 4.133).
 */
#include "kvm/ioctl.h"
#include "kvm/kvm.h"

#include <string.h>
#include <unistd.h>

#define STATISTICS_MAX 4096
#define NAME_MAX_BYTES 256

static bool read_at(int fd, void *out, size_t size, uint64_t offset)
{
	return offset < 1 << 24 && pread(fd, out, size, (off_t)offset) == (ssize_t)size;
}

static bool find(int fd, const char *wanted, uint64_t *out)
{
	struct kvm_stats_header header;

	if (!read_at(fd, &header, sizeof(header), 0) || header.name_size > NAME_MAX_BYTES ||
	    header.num_desc > STATISTICS_MAX)
		return false;
	for (uint32_t i = 0; i < header.num_desc; i++) {
		uint64_t offset =
			header.desc_offset + (uint64_t)i * (sizeof(struct kvm_stats_desc) + header.name_size);
		struct kvm_stats_desc about;
		char name[NAME_MAX_BYTES + 1] = "";

		if (!read_at(fd, &about, sizeof(about), offset) ||
		    !read_at(fd, name, header.name_size, offset + sizeof(about)))
			return false;
		if (!strcmp(name, wanted))
			return read_at(fd, out, sizeof(*out), (uint64_t)header.data_offset + about.offset);
	}
	return false;
}

int kvm_vcpu_statistic(const struct kvm_vcpu *vcpu, const char *name, uint64_t *out, struct error *error)
{
	int fd = KVM_IOCTL_VALUE(vcpu->fd, KVM_GET_STATS_FD, 0, error);
	bool found;

	if (fd < 0)
		return -1;
	found = find(fd, name, out);
	close(fd);
	return found ? 0 : error_set(error, ERROR_HOST, 0, 0, "KVM has no statistic `%s` of a vCPU", name);
}
