/* SPDX-License-Identifier: MIT */
/*
 * memory.c: the guest's RAM. QEMU has it in a file in memory (memory-backend-memfd, share=on), which is mapped here once
 * more, read-only. Where it is in the guest's physical addresses is as QEMU's PC machines have it: up to `low` from
 * 0 on, the rest from 4G on.
 */
#include "base/page.h"
#include "base/x86.h"
#include "plugin/plugin.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ABOVE_GAP (UINT64_C(4) << 30)

static struct {
	const uint8_t *bytes;
	uint64_t size, low;
	uint8_t *watched; /* of each page: it is a table, or was one */
} ram;

/* The descriptor of the largest file in memory of that kind; -1: none. */
static int find_file(uint64_t *size)
{
	static const char prefix[] = "/memfd:memory-backend-memfd";
	DIR *folder = opendir("/proc/self/fd");
	int found = -1;

	*size = 0;
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		char target[256];
		ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
		struct stat status;
		int fd;

		if (length < (ssize_t)sizeof(prefix) - 1 || memcmp(target, prefix, sizeof(prefix) - 1))
			continue;
		fd = (int)strtol(entry->d_name, NULL, 10);
		if (fstat(fd, &status) < 0 || (uint64_t)status.st_size <= *size)
			continue;
		*size = (uint64_t)status.st_size;
		found = fd;
	}
	if (folder)
		closedir(folder);
	return found;
}

bool memory_map(uint64_t low)
{
	int fd;
	void *bytes;

	if (ram.bytes)
		return true;
	fd = find_file(&ram.size);
	bytes = fd < 0 ? MAP_FAILED : mmap(NULL, ram.size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		return false;
	ram.low = low && low < ram.size ? low : ram.size;
	ram.watched = calloc(ram.size / PAGE_4K, 1);
	ram.bytes = bytes;
	return ram.watched;
}

uint64_t memory_index(uint64_t gpa)
{
	if (gpa < ram.low)
		return gpa / PAGE_4K;
	if (gpa >= ABOVE_GAP && gpa - ABOVE_GAP < ram.size - ram.low)
		return (gpa - ABOVE_GAP + ram.low) / PAGE_4K;
	return UINT64_MAX;
}

static const uint8_t *page_at(uint64_t gpa)
{
	uint64_t index = memory_index(gpa);

	return index == UINT64_MAX ? NULL : ram.bytes + index * PAGE_4K;
}

bool memory_entry(uint64_t gpa, uint64_t *out)
{
	const uint8_t *page = page_at(gpa);

	if (page)
		*out = __atomic_load_n((const uint64_t *)(page + (gpa & (PAGE_4K - 8))), __ATOMIC_RELAXED);
	return page;
}

bool memory_page(void *context, uint64_t gpa, uint64_t entries[512])
{
	uint64_t index = memory_index(gpa);

	(void)context;
	if (index == UINT64_MAX)
		return false;
	/* Before the contents are read: a store that comes later is an event. */
	__atomic_store_n(&ram.watched[index], 1, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < PAGE_TABLE_ENTRIES; i++)
		memory_entry(gpa + i * sizeof(uint64_t), &entries[i]);
	return true;
}

bool memory_watches(uint64_t index)
{
	return __atomic_load_n(&ram.watched[index], __ATOMIC_RELAXED);
}

void memory_unwatch(uint64_t index)
{
	__atomic_store_n(&ram.watched[index], 0, __ATOMIC_RELAXED);
}

/* The GPA of an address. False: it is not mapped. */
static bool translate(uint64_t root, unsigned int levels, uint64_t va, uint64_t *out)
{
	uint64_t table = root & PTE_ADDRESS, entry;

	for (unsigned int level = levels; level >= 1; level--) {
		uint64_t size = page_level_size(level);

		if (!memory_entry(table + page_level_index(va, level) * sizeof(entry), &entry) ||
		    !(entry & PTE_P))
			return false;
		table = entry & PTE_ADDRESS;
		if (level == 1 || (level <= 3 && (entry & PTE_PS))) {
			*out = (table & ~(size - 1)) + (va & (size - 1));
			return true;
		}
	}
	return false;
}

bool memory_read(uint64_t root, unsigned int levels, uint64_t va, void *out, size_t size)
{
	uint8_t *to = out;

	while (size) {
		uint64_t offset = va % PAGE_4K, part = PAGE_4K - offset, gpa;
		const uint8_t *page;

		part = part < size ? part : size;
		if (!translate(root, levels, va, &gpa) || !(page = page_at(gpa)))
			return false;
		memcpy(to, page + offset, part);
		to += part;
		va += part;
		size -= part;
	}
	return true;
}
