/* SPDX-License-Identifier: MIT */
/*
 * core_write.c: a view becomes an ELF core.
 *
 *   0         ELF header, program headers (notes first, then one PT_LOAD per region), notes
 *   page      first region, and after it the others; pages of zeros are holes of the file
 */
#define _GNU_SOURCE /* mkostemp */
#include "view/core.h"

#include "kvmap/layout.h"
#include "view/core_registers.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ELF header, program headers and notes, in one buffer that grows by known sizes. */
struct head {
	uint8_t *bytes;
	size_t size;
	size_t used;
};

static size_t note_size(const char *name, size_t size)
{
	return sizeof(Elf64_Nhdr) + (strlen(name) + 1 + 3) / 4 * 4 + (size + 3) / 4 * 4;
}

static void head_put(struct head *head, const void *bytes, size_t size)
{
	memcpy(head->bytes + head->used, bytes, size);
	head->used += size;
}

static void head_put_note(struct head *head, const char *name, uint32_t type, const void *bytes, size_t size)
{
	Elf64_Nhdr note = { .n_namesz = strlen(name) + 1, .n_descsz = size, .n_type = type };
	size_t end = head->used + note_size(name, size);

	head_put(head, &note, sizeof(note));
	head_put(head, name, note.n_namesz);
	head->used = (head->used + 3) / 4 * 4;
	head_put(head, bytes, size);
	head->used = end;
}

static size_t notes_size(const struct view *view, const char *program)
{
	size_t size = view->cpu_count * (note_size("CORE", sizeof(struct elf_prstatus)) +
					 note_size(CORE_NOTE_NAME, sizeof(struct core_control)));

	for (unsigned int i = 0; i < view->cpu_count; i++)
		size += view->cpus[i].has_pat ? note_size(CORE_NOTE_NAME, sizeof(struct core_pat)) : 0;
	return size + (program ? note_size(CORE_NOTE_NAME, strlen(program) + 1) : 0);
}

static void head_put_notes(struct head *head, const struct view *view, const char *program)
{
	for (unsigned int i = 0; i < view->cpu_count; i++) {
		struct elf_prstatus status;
		struct core_control control;
		struct core_pat pat = { .cpu = i, .pat = view->cpus[i].pat };

		core_registers_pack(&view->cpus[i], i + 1, &status);
		core_control_pack(view, &view->cpus[i], &control);
		head_put_note(head, "CORE", NT_PRSTATUS, &status, sizeof(status));
		head_put_note(head, CORE_NOTE_NAME, CORE_NOTE_CONTROL, &control, sizeof(control));
		if (view->cpus[i].has_pat)
			head_put_note(head, CORE_NOTE_NAME, CORE_NOTE_PAT, &pat, sizeof(pat));
	}
	if (program)
		head_put_note(head, CORE_NOTE_NAME, CORE_NOTE_PROGRAM, program, strlen(program) + 1);
}

static void head_put_elf(struct head *head, unsigned int segments)
{
	Elf64_Ehdr elf = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = segments,
	};

	head_put(head, &elf, sizeof(elf));
}

static void head_put_segments(struct head *head, const struct view *view, uint64_t notes_offset,
			      uint64_t notes, uint64_t data_offset)
{
	Elf64_Phdr segment = {
		.p_type = PT_NOTE,
		.p_offset = notes_offset,
		.p_filesz = notes,
		.p_align = 4,
	};

	head_put(head, &segment, sizeof(segment));
	for (unsigned int i = 0; i < view->region_count; i++) {
		const struct view_region *region = &view->regions[i];

		segment = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = data_offset,
			.p_vaddr = region->gpa + KVMAP_DIRECT_BASE,
			.p_paddr = region->gpa,
			.p_filesz = region->size,
			.p_memsz = region->size,
			.p_align = KVMAP_PAGE_SIZE,
		};
		head_put(head, &segment, sizeof(segment));
		data_offset += region->size;
	}
}

/* Everything before the first region, padded to whole pages. 0, or -1 when memory is out. */
static int head_make(struct head *head, const struct view *view, const char *program)
{
	unsigned int segments = 1 + view->region_count;
	uint64_t notes_offset = sizeof(Elf64_Ehdr) + segments * sizeof(Elf64_Phdr);
	uint64_t notes = notes_size(view, program);

	head->size = (notes_offset + notes + KVMAP_PAGE_SIZE - 1) / KVMAP_PAGE_SIZE * KVMAP_PAGE_SIZE;
	head->used = 0;
	head->bytes = calloc(1, head->size);
	if (!head->bytes)
		return -1;
	head_put_elf(head, segments);
	head_put_segments(head, view, notes_offset, notes, head->size);
	head_put_notes(head, view, program);
	return 0;
}

static int write_all(int fd, const uint8_t *bytes, uint64_t size, uint64_t offset)
{
	while (size) {
		ssize_t written = pwrite(fd, bytes, size, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			errno = written ? errno : ENOSPC;
			return -1;
		}
		bytes += written;
		size -= written;
		offset += written;
	}
	return 0;
}

static bool page_is_zero(const uint8_t *page)
{
	static const uint8_t zeros[KVMAP_PAGE_SIZE];

	return !memcmp(page, zeros, sizeof(zeros));
}

/* The pages of [from, to) of a region, offsets in it, but those of zeros. `base`: offset of the region in the
 * file. */
static int write_stretch(int fd, const struct view_region *region, uint64_t from, uint64_t to, uint64_t base)
{
	while (from < to) {
		uint64_t end = from;

		while (end < to && !page_is_zero(region->bytes + end))
			end += KVMAP_PAGE_SIZE;
		if (write_all(fd, region->bytes + from, end - from, base + from) < 0)
			return -1;
		from = end + KVMAP_PAGE_SIZE;
	}
	return 0;
}

static int write_region(int fd, const struct view *view, const struct view_region *region, uint64_t base)
{
	uint64_t next = region->gpa, region_end = region->gpa + region->size;
	uint64_t start, end;

	while (view_next_data(view, next, region_end, &start, &end)) {
		uint64_t from = (start - region->gpa) & ~(KVMAP_PAGE_SIZE - 1ull);

		/* The end may be inside a page where the file system's blocks are smaller. */
		next = (end + KVMAP_PAGE_SIZE - 1) & ~(KVMAP_PAGE_SIZE - 1ull);
		if (write_stretch(fd, region, from, next - region->gpa, base) < 0)
			return -1;
	}
	return 0;
}

static int write_core(int fd, const struct view *view, const struct head *head)
{
	uint64_t offset = head->size;

	if (write_all(fd, head->bytes, head->size, 0) < 0)
		return -1;
	for (unsigned int i = 0; i < view->region_count; i++) {
		if (write_region(fd, view, &view->regions[i], offset) < 0)
			return -1;
		offset += view->regions[i].size;
	}
	/* Holes at the end; and what the disk refuses late must be known before the old file is replaced. */
	return ftruncate(fd, (off_t)offset) < 0 ? -1 : fsync(fd);
}

static int write_failed(const char *path, int errnum, struct error *error)
{
	enum error_kind kind = ERROR_HOST;

	if (errnum == EACCES || errnum == EPERM || errnum == EROFS)
		kind = ERROR_PERMISSION;
	else if (errnum == ENOENT || errnum == ENOTDIR || errnum == ENAMETOOLONG)
		kind = ERROR_INPUT;
	return error_set(error, kind, errnum, 0, "%s: the core was not written", path);
}

/* Writes beside `target` and puts the whole file in its place. 0, or an errno and nothing left behind. */
static int write_and_rename(const char *target, const struct view *view, const struct head *head)
{
	char *temporary;
	int fd, errnum;

	if (asprintf(&temporary, "%s.XXXXXX", target) < 0)
		return ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		errnum = errno;
	} else {
		errnum = write_core(fd, view, head) < 0 ? errno : 0;
		if (close(fd) < 0 && !errnum)
			errnum = errno;
		if (!errnum && rename(temporary, target) < 0)
			errnum = errno;
		if (errnum)
			unlink(temporary);
	}
	free(temporary);
	return errnum;
}

int core_write(const struct view *view, const char *path, const char *program, struct error *error)
{
	struct stat status;
	struct head head = { 0 };
	char *target;
	int errnum = ENOMEM;

	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: not a regular file, so no core is written there", path);
	/* Through a symbolic link to the file itself; a new file has nothing to resolve. */
	target = realpath(path, NULL);
	if (!target)
		target = strdup(path);
	if (target && head_make(&head, view, program) == 0)
		errnum = write_and_rename(target, view, &head);
	free(head.bytes);
	free(target);
	return errnum ? write_failed(path, errnum, error) : 0;
}
