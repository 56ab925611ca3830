/* SPDX-License-Identifier: MIT */
/*
 * core_notes.c: reads registers and the program's path from a core's notes.
 */
#include "view/core_file.h"

#include "view/core_registers.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Bytes; VIEW_CPUS_MAX CPUs need half of it. */
#define NOTES_MAX (8u << 20)

struct notes {
	struct core_file *file;
	struct view *view;
	char **program;
	unsigned int statuses; /* notes of registers seen; the n-th is of CPU n */
	unsigned int controls; /* notes of control registers seen, likewise */
	bool from_kvmap;
};

static int bad_note(const struct notes *notes, const char *what, struct error *error)
{
	return error_set(error, ERROR_INPUT, 0, 0, "%s: %s", notes->file->path, what);
}

/* CPU `number`, or NULL if a view cannot have it. */
static struct view_cpu *cpu_of(const struct notes *notes, unsigned int number, struct error *error)
{
	struct view *view = notes->view;
	struct error ignored;

	if (number >= VIEW_CPUS_MAX) {
		error_set(error, ERROR_INPUT, 0, 0, "%s: more than %d CPUs", notes->file->path,
			  VIEW_CPUS_MAX);
		return NULL;
	}
	if (number >= view->cpu_count && view_set_cpus(view, number + 1, &ignored) < 0) {
		error_set(error, ERROR_HOST, ENOMEM, 0, "%s", notes->file->path);
		return NULL;
	}
	return &view->cpus[number];
}

static int take_status(struct notes *notes, const void *bytes, size_t size, struct error *error)
{
	struct elf_prstatus status;
	struct view_cpu *cpu;

	if (size != sizeof(status))
		return bad_note(notes, "a note of registers (NT_PRSTATUS) of the wrong size", error);
	cpu = cpu_of(notes, notes->statuses, error);
	if (!cpu)
		return -1;
	memcpy(&status, bytes, sizeof(status));
	core_registers_unpack(&status, cpu);
	notes->statuses++;
	return 0;
}

static int take_control(struct notes *notes, const void *bytes, size_t size, struct error *error)
{
	struct core_control control;
	struct view_cpu *cpu;

	if (size != sizeof(control))
		return bad_note(notes, "a note of control registers of the wrong size", error);
	memcpy(&control, bytes, sizeof(control));
	if (control.version != 1)
		return bad_note(notes, "control registers in a form that only another version of kvmap knows",
				error);
	if (control.pages_1g > 1)
		return bad_note(notes, "neither yes nor no to 1G pages", error);
	if (control.physical_bits < 32 || control.physical_bits > 52)
		return error_set(error, ERROR_INPUT, 0, 0, "%s: physical addresses of %u bits, not 32 to 52",
				 notes->file->path, control.physical_bits);
	cpu = cpu_of(notes, notes->controls, error);
	if (!cpu)
		return -1;
	if (notes->controls && (control.physical_bits != notes->view->physical_bits ||
				control.pages_1g != notes->view->pages_1g))
		return bad_note(notes, "the CPUs differ in what addresses and pages they know", error);
	notes->from_kvmap = true;
	notes->view->physical_bits = control.physical_bits;
	notes->view->pages_1g = control.pages_1g;
	notes->view->physical_bits_assumed = control.physical_bits_assumed;
	core_control_unpack(&control, cpu);
	notes->controls++;
	return 0;
}

static int take_pat(struct notes *notes, const void *bytes, size_t size, struct error *error)
{
	struct core_pat pat;
	struct view_cpu *cpu;

	if (size != sizeof(pat))
		return bad_note(notes, "a note of a PAT register of the wrong size", error);
	memcpy(&pat, bytes, sizeof(pat));
	if (pat.cpu >= VIEW_CPUS_MAX)
		return error_set(error, ERROR_INPUT, 0, 0, "%s: a PAT register of CPU %u", notes->file->path,
				 pat.cpu);
	cpu = cpu_of(notes, pat.cpu, error);
	if (!cpu)
		return -1;
	cpu->pat = pat.pat;
	cpu->has_pat = true;
	return 0;
}

/* QEMU's note. core_qemu_unpack() documents the registers that it lacks. */
static int take_qemu(struct notes *notes, const void *bytes, size_t size, struct error *error)
{
	struct core_qemu state;
	struct view_cpu *cpu;

	/* Later versions of QEMU append members. */
	if (size < sizeof(state))
		return bad_note(notes, "a note of QEMU's with the registers of a CPU that is too short",
				error);
	memcpy(&state, bytes, sizeof(state));
	if (state.version != 1 || state.size != size)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: QEMU's note of a CPU is of version %u and %u bytes; version 1 and %zu "
				 "bytes are known",
				 notes->file->path, state.version, state.size, size);
	cpu = cpu_of(notes, notes->controls, error);
	if (!cpu)
		return -1;
	notes->file->from_qemu = true;
	core_qemu_unpack(&state, notes->view, cpu);
	notes->controls++;
	return 0;
}

static int take_program(struct notes *notes, const char *bytes, size_t size, struct error *error)
{
	if (*notes->program)
		return bad_note(notes, "two notes with the path of the guest's program", error);
	if (size < 2 || memchr(bytes, 0, size) != bytes + size - 1)
		return bad_note(notes, "the note with the path of the guest's program is no path", error);
	*notes->program = strdup(bytes);
	return *notes->program ? 0 : error_set(error, ERROR_HOST, ENOMEM, 0, "%s", notes->file->path);
}

/*
 * VMCOREINFO of a Linux guest, that QEMU writes (-device vmcoreinfo): lines of NAME=VALUE, with KERNELOFFSET in
 * hexadecimal digits. The guest made it: what it says is checked where it is used.
 */
static void take_vmcoreinfo(struct notes *notes, const char *bytes, size_t size)
{
	static const char name[] = "KERNELOFFSET=";
	const size_t length = sizeof(name) - 1;

	for (size_t at = 0; at + length < size; at++) {
		uint64_t value = 0;
		size_t digits = 0;

		if ((at && bytes[at - 1] != '\n') || memcmp(bytes + at, name, length) != 0)
			continue;
		for (at += length; at < size && isxdigit((unsigned char)bytes[at]); at++, digits++)
			value = value << 4 |
				(uint64_t)(isdigit((unsigned char)bytes[at]) ? bytes[at] - '0'
									     : (bytes[at] | 0x20) - 'a' + 10);
		notes->view->has_kernel_offset = digits && digits <= 16;
		notes->view->kernel_offset = value;
		return;
	}
}

static bool is_named(const GElf_Nhdr *note, const char *name, const char *wanted)
{
	return note->n_namesz == strlen(wanted) + 1 && !memcmp(name, wanted, note->n_namesz);
}

static int take_note(struct notes *notes, const GElf_Nhdr *note, const char *name, const char *bytes,
		     struct error *error)
{
	if (is_named(note, name, "CORE") && note->n_type == NT_PRSTATUS)
		return take_status(notes, bytes, note->n_descsz, error);
	if (is_named(note, name, CORE_NOTE_NAME) && note->n_type == CORE_NOTE_CONTROL)
		return take_control(notes, bytes, note->n_descsz, error);
	if (is_named(note, name, CORE_NOTE_NAME) && note->n_type == CORE_NOTE_PAT)
		return take_pat(notes, bytes, note->n_descsz, error);
	if (is_named(note, name, "QEMU") && note->n_type == CORE_NOTE_QEMU)
		return take_qemu(notes, bytes, note->n_descsz, error);
	if (is_named(note, name, CORE_NOTE_NAME) && note->n_type == CORE_NOTE_PROGRAM)
		return take_program(notes, bytes, note->n_descsz, error);
	if (is_named(note, name, "VMCOREINFO"))
		take_vmcoreinfo(notes, bytes, note->n_descsz);
	return 0;
}

static int take_segment(struct notes *notes, const GElf_Phdr *segment, struct error *error)
{
	size_t at = 0, next, name, bytes;
	GElf_Nhdr note;
	Elf_Data *data;

	if (segment->p_filesz > NOTES_MAX)
		return error_set(error, ERROR_INPUT, 0, segment->p_offset,
				 "%s: %" PRIu64 " bytes of notes: more than any guest's core has",
				 notes->file->path, segment->p_filesz);
	if (!segment->p_filesz)
		return 0;
	data = elf_getdata_rawchunk(notes->file->elf, (int64_t)segment->p_offset, segment->p_filesz,
				    ELF_T_NHDR);
	if (!data)
		return error_set(error, ERROR_INPUT, 0, segment->p_offset, "%s: the notes: %s",
				 notes->file->path, elf_errmsg(-1));
	for (; at < data->d_size; at = next) {
		next = gelf_getnote(data, at, &note, &name, &bytes);
		if (next <= at)
			return error_set(error, ERROR_INPUT, 0, segment->p_offset + at,
					 "%s: damaged note at offset 0x%" PRIx64, notes->file->path,
					 segment->p_offset + at);
		if (take_note(notes, &note, (char *)data->d_buf + name, (char *)data->d_buf + bytes, error) <
		    0)
			return -1;
	}
	return 0;
}

int core_file_notes(struct core_file *file, struct view *view, char **program, struct error *error)
{
	struct notes notes = { .file = file, .view = view, .program = program };

	for (size_t i = 0; i < file->segment_count; i++) {
		GElf_Phdr segment;

		if (core_file_segment(file, i, &segment, error) < 0)
			return -1;
		if (segment.p_type == PT_NOTE && take_segment(&notes, &segment, error) < 0)
			return -1;
	}
	if (!notes.statuses)
		return bad_note(&notes, "no registers (no NT_PRSTATUS note)", error);
	if (!notes.controls)
		return bad_note(&notes,
				"no control registers (no KVMAP note, nor one of QEMU's): a core of a "
				"process, or of a tool that does not write them",
				error);
	if (notes.from_kvmap && file->from_qemu)
		return bad_note(&notes, "control registers both in notes of kvmap's and in notes of QEMU's",
				error);
	if (notes.statuses != notes.controls)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: registers of %u CPUs, but control registers of %u", file->path,
				 notes.statuses, notes.controls);
	view->cpu_count = notes.statuses; /* a PAT register of another CPU is of none */
	return 0;
}
