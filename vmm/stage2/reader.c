/* SPDX-License-Identifier: MIT */
/*
 * reader.c: drives kernel.bpf.c: finds the VM, and copies slots, lists and tables until nothing moved
 * meanwhile.
 */
#define _GNU_SOURCE
#include "stage2/reader.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/page.h"
#include "stage2/host_format.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stage2/process.h"
#include "stage2/libbpf.h"
#include "stage2/reader_internal.h"

#define TRIES 4

/* No VM has more shadow pages than this: 4 GiB of them. A longer list is one that changes. */
#define PAGES_MAX (1u << 20)

/* One copy being made. */
struct reading {
	struct stage2_reader *reader;
	struct stage2 *stage2;
	uint64_t direct_map;                       /* kernel virtual address of HPA 0; 0: not known */
	ARRAY_OF(struct kernel_page) roots, pages; /* of the TDP MMU; all others */
	struct stage2_links links[2];
};

/* ---- the program ---- */

static bool locked_down(void)
{
	char text[128] = "";
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");

	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return strstr(text, "[confidentiality]");
}

static int cannot_load(int errnum, struct error *error)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return error_set(
			error, ERROR_HOST, errno, 0,
			"no /sys/kernel/btf/vmlinux: the second stage is read with the kernel's own types, which "
			"CONFIG_DEBUG_INFO_BTF gives");
	if (locked_down())
		return error_set(
			error, ERROR_PERMISSION, errnum, 0,
			"the kernel is locked down for confidentiality: no program may read its memory, the "
			"second stage neither");
	if (errnum == EPERM || errnum == EACCES)
		return error_set(
			error, ERROR_PERMISSION, errnum, 0,
			"may not load the BPF program that reads the second stage: run as root, or give kvmap "
			"CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_SYS_ADMIN");
	return error_set(
		error, ERROR_HOST, errnum, 0,
		"cannot load the BPF program that reads the second stage (it needs Linux 6.1 or later with KVM "
		"loaded)");
}

static void *map_memory(const struct bpf_map *map, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

#define SLOTS_SIZE  (KERNEL_SLOTS * sizeof(struct kernel_slot))
#define PAGES_SIZE  (KERNEL_PAGES * sizeof(struct kernel_page))
#define TABLES_SIZE ((size_t)KERNEL_TABLES * TABLE_BYTES)

int stage2_reader_open(struct stage2_reader **out, struct error *error)
{
	struct stage2_reader *reader = calloc(1, sizeof(*reader));
	int errnum;

	if (!reader)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	if (libbpf_load(error) < 0) {
		free(reader);
		return -1;
	}
	libbpf_set_print(NULL);
	reader->bpf = kernel_bpf__open_and_load();
	if (!reader->bpf) {
		errnum = errno;
		free(reader);
		return cannot_load(errnum, error);
	}
	reader->slots = map_memory(reader->bpf->maps.slots, SLOTS_SIZE);
	reader->pages = map_memory(reader->bpf->maps.pages, PAGES_SIZE);
	reader->tables = map_memory(reader->bpf->maps.tables, TABLES_SIZE);
	if (!reader->slots || !reader->pages || !reader->tables) {
		error_set(error, ERROR_HOST, errno, 0, "cannot map what the BPF program writes");
		stage2_reader_close(reader);
		return -1;
	}
	*out = reader;
	return 0;
}

void stage2_reader_close(struct stage2_reader *reader)
{
	if (!reader)
		return;
	if (reader->slots)
		munmap(reader->slots, SLOTS_SIZE);
	if (reader->pages)
		munmap(reader->pages, PAGES_SIZE);
	if (reader->tables)
		munmap(reader->tables, TABLES_SIZE);
	kernel_bpf__destroy(reader->bpf);
	free(reader);
}

int reader_run(const struct bpf_program *program, struct error *error)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) < 0)
		return error_set(error, ERROR_HOST, errno, 0, "cannot run the BPF program %s",
				 bpf_program__name(program));
	return 0;
}

/* ---- finding the VM ---- */

/* Lists the process's VMs and vCPUs in the program's arrays. */
static int list_descriptors(struct stage2_reader *reader, pid_t pid, struct error *error)
{
	union bpf_iter_link_info info = { .task = { .pid = (__u32)pid } };
	struct bpf_iter_attach_opts options;
	struct bpf_link *link;
	char nothing[64];
	int fd, result;

	/* libbpf refuses options whose padding is not zero, and LIBBPF_OPTS leaves the padding to the compiler. */
	memset(&options, 0, sizeof(options));
	options.sz = sizeof(options);
	options.link_info = &info;
	options.link_info_len = sizeof(info);
	reader->bpf->bss->vm_count = 0;
	reader->bpf->bss->vcpu_count = 0;
	link = bpf_program__attach_iter(reader->bpf->progs.find_vms, &options);
	if (!link)
		return error_set(error, ERROR_HOST, errno, 0, "cannot list the descriptors of process %d",
				 (int)pid);
	fd = bpf_iter_create(bpf_link__fd(link));
	while ((result = fd < 0 ? -1 : (int)read(fd, nothing, sizeof(nothing))) > 0)
		;
	if (result < 0)
		error_set(error, ERROR_HOST, errno, 0, "cannot list the descriptors of process %d", (int)pid);
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return result;
}

int reader_find_vm(struct stage2_reader *reader, pid_t pid, int held, struct error *error)
{
	uint64_t kvm = 0;

	if (list_descriptors(reader, getpid(), error) < 0)
		return -1;
	for (__u32 i = 0; i < reader->bpf->bss->vm_count && i < KERNEL_VMS; i++)
		if (reader->bpf->bss->vms[i].fd == (__u32)held)
			kvm = reader->bpf->bss->vms[i].kvm;
	if (!kvm)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "that descriptor of process %d is no virtual machine", (int)pid);
	if (list_descriptors(reader, pid, error) < 0)
		return -1;
	if (reader->bpf->bss->vcpu_count > KERNEL_VCPUS)
		reader->bpf->bss->vcpu_count = KERNEL_VCPUS;
	reader->bpf->bss->kvm = kvm;
	return 0;
}

/* ---- copying ---- */

int reader_read_slots(struct stage2_reader *reader, struct stage2_slots *out, struct error *error)
{
	if (reader_run(reader->bpf->progs.read_slots, error) < 0)
		return -1;
	for (__u32 i = 0; i < reader->bpf->bss->slot_count && i < KERNEL_SLOTS; i++) {
		const struct kernel_slot *from = &reader->slots[i];
		struct stage2_slot slot = {
			.gpa = from->base_gfn * PAGE_4K,
			.size = from->npages * PAGE_4K,
			.hva = from->userspace_addr,
			.flags = from->flags,
			.id = from->id,
		};

		if (array_push(out, slot) < 0)
			return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	}
	return 0;
}

/* One of the lists of struct kvm_mmu_page, whole. */
static int read_list(struct reading *reading, bool roots, struct error *error)
{
	struct stage2_reader *reader = reading->reader;
	size_t total = 0;

	reader->bpf->bss->list_of_roots = roots;
	reader->bpf->bss->list_position = 0;
	do {
		if (reader_run(reader->bpf->progs.read_pages, error) < 0)
			return -1;
		for (__u32 i = 0; i < reader->bpf->bss->page_count && i < KERNEL_PAGES; i++) {
			struct kernel_page page = reader->pages[i];

			if (page.invalid)
				continue;
			if ((roots ? array_push(&reading->roots, page) : array_push(&reading->pages, page)) <
			    0)
				return error_set(error, ERROR_HOST, 0, 0, "out of memory");
		}
		total += reader->bpf->bss->page_count;
	} while (reader->bpf->bss->list_position && total < PAGES_MAX);
	return 0;
}

/*
 * The kernel's direct map begins where a root's virtual address and its HPA, which a vCPU knows, say so.
 * Several roots may fit a vCPU's by chance, but not one offset for all vCPUs.
 */
static void find_direct_map(struct reading *reading)
{
	const struct stage2_reader *reader = reading->reader;
	unsigned int best = 0;

	for (__u32 i = 0; i < reader->bpf->bss->vcpu_count; i++) {
		for (size_t root = 0; root < reading->roots.count; root++) {
			uint64_t base = reading->roots.items[root].spt - reader->bpf->bss->roots[i];
			unsigned int fits = 0;

			if (base % PAGE_1G || base >> 63 == 0)
				continue;
			for (__u32 other = 0; other < reader->bpf->bss->vcpu_count; other++)
				for (size_t r = 0; r < reading->roots.count; r++)
					fits += reading->roots.items[r].spt ==
						base + reader->bpf->bss->roots[other];
			if (fits > best) {
				best = fits;
				reading->direct_map = base;
			}
		}
	}
}

/* Copies the `count` tables that are named in `wanted`. */
static int copy_tables(struct reading *reading, unsigned int count, struct error *error)
{
	struct stage2_reader *reader = reading->reader;
	uint64_t start = clock_monotonic_ns();
	int result;

	reader->bpf->bss->wanted_count = count;
	result = reader_run(reader->bpf->progs.read_tables, error);
	reading->stage2->unreadable += reader->bpf->bss->unreadable;
	reading->stage2->timing.read_ns += clock_monotonic_ns() - start;
	return result;
}

static int add_table(struct reading *reading, const struct stage2_table *table, const uint64_t *entries,
		     struct stage2_links *links, struct error *error)
{
	uint64_t start = clock_monotonic_ns();
	int result = stage2_add_table(reading->stage2, table, entries, links);

	reading->stage2->timing.decode_ns += clock_monotonic_ns() - start;
	return result < 0
		       ? error_set(error, ERROR_HOST, 0, 0, "out of memory, or more leaves than any VM has")
		       : 0;
}

/* Reserves room for all leaves of this many tables. If that fails, the array grows with the leaves. */
static void expect_leaves(struct reading *reading, size_t tables)
{
	uint64_t start = clock_monotonic_ns();

	stage2_make_room(reading->stage2, tables * PAGE_TABLE_ENTRIES);
	reading->stage2->timing.decode_ns += clock_monotonic_ns() - start;
}

/* The tables that `from` names; the ones they point to are added to `to`. */
static int read_links(struct reading *reading, const struct stage2_links *from, struct stage2_links *to,
		      bool smm, struct error *error)
{
	struct stage2_reader *reader = reading->reader;
	unsigned int count;

	for (size_t done = 0; done < from->count; done += count) {
		count = from->count - done < KERNEL_TABLES ? (unsigned int)(from->count - done)
							   : KERNEL_TABLES;
		for (unsigned int i = 0; i < count; i++)
			reader->bpf->bss->wanted[i] = reading->direct_map + from->items[done + i].hpa;
		if (copy_tables(reading, count, error) < 0)
			return -1;
		for (unsigned int i = 0; i < count; i++) {
			const struct stage2_link *link = &from->items[done + i];
			struct stage2_table table = { .gpa = link->gpa, .level = link->level, .smm = smm };

			if (add_table(reading, &table, reader->tables[i], to, error) < 0)
				return -1;
		}
	}
	return 0;
}

/* The TDP MMU's tables below one root, level by level. */
static int read_tree(struct reading *reading, const struct kernel_page *root, struct error *error)
{
	struct stage2_table table = { .level = root->level, .smm = root->smm };

	reading->links[0].count = 0;
	reading->reader->bpf->bss->wanted[0] = root->spt;
	if (copy_tables(reading, 1, error) < 0 ||
	    add_table(reading, &table, reading->reader->tables[0], &reading->links[0], error) < 0)
		return -1;
	if (!reading->direct_map)
		return 0; /* no vCPU has run */
	for (unsigned int level = root->level, i = 0; level > 1; level--, i ^= 1) {
		reading->links[i ^ 1].count = 0;
		if (level == 2)
			expect_leaves(reading, reading->links[i].count);
		if (read_links(reading, &reading->links[i], &reading->links[i ^ 1], root->smm, error) < 0)
			return -1;
	}
	return 0;
}

static int add_page(struct reading *reading, const struct kernel_page *page, const uint64_t *entries,
		    const uint64_t *translation, struct error *error)
{
	struct stage2_table table = {
		.gpa = page->gfn * PAGE_4K,
		.level = page->level,
		.passthrough = page->passthrough,
		.nested = page->nested,
		.smm = page->smm,
		.translation = page->direct ? NULL : translation,
	};

	return add_table(reading, &table, entries, NULL, error);
}

static int compare_pages(const void *a, const void *b)
{
	const struct kernel_page *one = a, *other = b;

	return one->gfn < other->gfn ? -1 : one->gfn > other->gfn;
}

/* Tables that KVM keeps one by one, by GPA so that their leaves are nearly sorted; a table and its
 * translation take two places of a batch. */
static int read_all_pages(struct reading *reading, struct error *error)
{
	struct stage2_reader *reader = reading->reader;
	size_t done = 0;

	expect_leaves(reading, reading->pages.count);
	if (reading->pages.count)
		qsort(reading->pages.items, reading->pages.count, sizeof(struct kernel_page), compare_pages);
	while (done < reading->pages.count) {
		size_t start = done;
		unsigned int count = 0;

		for (; done < reading->pages.count && count + 2 <= KERNEL_TABLES; done++) {
			const struct kernel_page *page = &reading->pages.items[done];

			reader->bpf->bss->wanted[count++] = page->spt;
			if (!page->direct && page->translation)
				reader->bpf->bss->wanted[count++] = page->translation;
		}
		if (copy_tables(reading, count, error) < 0)
			return -1;
		count = 0;
		for (size_t i = start; i < done; i++) {
			const struct kernel_page *page = &reading->pages.items[i];
			const uint64_t *entries = reader->tables[count++];
			const uint64_t *translation =
				!page->direct && page->translation ? reader->tables[count++] : NULL;

			if (add_page(reading, page, entries, translation, error) < 0)
				return -1;
		}
	}
	return 0;
}

static int read_state(struct stage2_reader *reader, struct kernel_state *out, struct error *error)
{
	if (reader_run(reader->bpf->progs.read_state, error) < 0)
		return -1;
	*out = reader->bpf->bss->state;
	return 0;
}

static int read_once(struct reading *reading, pid_t pid, struct error *error)
{
	struct stage2 *stage2 = reading->stage2;
	char pagemap[64];
	uint64_t start = clock_monotonic_ns();

	reading->roots.count = reading->pages.count = 0;
	if (reader_read_slots(reading->reader, &stage2->slots, error) < 0 ||
	    read_list(reading, true, error) < 0 || read_list(reading, false, error) < 0)
		return -1;
	stage2->timing.read_ns += clock_monotonic_ns() - start;
	stage2->tdp_mmu = reading->roots.count;
	stage2->roots = (unsigned int)reading->roots.count;
	stage2->vcpus = reading->reader->bpf->bss->vcpu_count;
	find_direct_map(reading);
	for (size_t i = 0; i < reading->roots.count; i++)
		if (read_tree(reading, &reading->roots.items[i], error) < 0)
			return -1;
	if (read_all_pages(reading, error) < 0)
		return -1;
	start = clock_monotonic_ns();
	if (stage2_sort(stage2) < 0)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	stage2->timing.decode_ns += clock_monotonic_ns() - start;
	start = clock_monotonic_ns();
	snprintf(pagemap, sizeof(pagemap), "/proc/%d/pagemap", (int)pid);
	if (stage2_look_up_frames(stage2, pagemap, error) < 0)
		return -1;
	stage2->timing.frames_ns += clock_monotonic_ns() - start;
	return 0;
}

static bool moved(const struct kernel_state *before, const struct kernel_state *after,
		  const struct stage2 *stage2)
{
	return before->invalidations != after->invalidations || before->generation != after->generation ||
	       before->running || after->running || stage2->unreadable;
}

static int read_until_steady(struct reading *reading, pid_t pid, struct error *error)
{
	struct stage2_format format = stage2_host_format("/sys/module", "/proc/cpuinfo");
	struct kernel_state before, after;

	for (int i = 0; i < TRIES; i++) {
		stage2_destroy(reading->stage2);
		reading->stage2->format = format;
		if (read_state(reading->reader, &before, error) < 0 || read_once(reading, pid, error) < 0 ||
		    read_state(reading->reader, &after, error) < 0)
			return -1;
		reading->stage2->unsteady = moved(&before, &after, reading->stage2);
		if (!reading->stage2->unsteady)
			return 0;
	}
	return 0;
}

int stage2_read(struct stage2_reader *reader, pid_t pid, int vm_fd, struct stage2 *out, struct error *error)
{
	struct stage2 stage2 = { 0 };
	struct reading reading = { .reader = reader, .stage2 = &stage2 };
	int held = process_hold_vm(pid, vm_fd, error), result = -1;

	if (held < 0)
		return -1;
	if (reader_find_vm(reader, pid, held, error) == 0)
		result = read_until_steady(&reading, pid, error);
	close(held);
	free(reading.roots.items);
	free(reading.pages.items);
	free(reading.links[0].items);
	free(reading.links[1].items);
	if (result == 0)
		*out = stage2;
	else
		stage2_destroy(&stage2);
	return result;
}
