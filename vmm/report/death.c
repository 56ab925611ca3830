/* SPDX-License-Identifier: MIT */
/*
 * death.c: how the guest died: event, fault, address, code bytes, registers, backtrace.
 */
#include "base/strbuf.h"
#include "inspect/address.h"
#include "report/backtrace.h"
#include "report/json.h"
#include "report/run_parts.h"
#include "report/text.h"

#include <inttypes.h>
#include <string.h>

#define VECTOR_PAGE_FAULT 14

/* Registers of the guest's own report or of the vCPU, in this order. */
#define REGISTERS 19
/* clang-format off */
static const char *const register_names[REGISTERS] = {
#define NAME(name) #name,
	VIEW_GENERAL_REGISTERS(NAME)
#undef NAME
	"rip", "rflags", "cr3",
};
/* clang-format on */

struct registers {
	bool known;
	uint64_t value[REGISTERS];
	uint64_t rip;
	uint64_t cr2; /* 0 with a report of the guest, whose record has the address */
};

/* The guest's own report has the state at the fault; the vCPU has that of the exit after it. */
static struct registers find_registers(const struct report_death *death)
{
	const struct view_cpu *cpu = &death->registers;
	const uint64_t *oops = death->oops_registers;
	struct registers registers = { .known = death->has_registers || death->oops.type };

	if (death->oops.type) {
		memcpy(registers.value, oops, 16 * sizeof(*oops));
		registers.rip = death->oops.value[3];
		registers.value[17] = oops[16];
		registers.value[18] = oops[17];
	} else {
		/* clang-format off */
		const uint64_t value[REGISTERS] = {
#define VALUE(name) cpu->name,
			VIEW_GENERAL_REGISTERS(VALUE)
#undef VALUE
			cpu->rip, cpu->rflags, cpu->cr3,
		};
		/* clang-format on */

		memcpy(registers.value, value, sizeof(value));
		registers.rip = cpu->rip;
		registers.cr2 = cpu->cr2;
	}
	registers.value[16] = registers.rip;
	return registers;
}

static const char *vector_name(uint16_t vector)
{
	switch (vector) {
	case 0: return "#DE, division error";
	case 1: return "#DB, debug";
	case 2: return "NMI";
	case 3: return "#BP, breakpoint";
	case 4: return "#OF, overflow";
	case 5: return "#BR, bound range";
	case 6: return "#UD, invalid opcode";
	case 7: return "#NM, no FPU";
	case 8: return "#DF, double fault";
	case 10: return "#TS, invalid TSS";
	case 11: return "#NP, segment not present";
	case 12: return "#SS, stack segment fault";
	case 13: return "#GP, general protection";
	case VECTOR_PAGE_FAULT: return "#PF, page fault";
	case 16: return "#MF, x87 error";
	case 17: return "#AC, alignment check";
	case 18: return "#MC, machine check";
	case 19: return "#XM, SIMD error";
	default: return "an interrupt without handler";
	}
}

/* SDM vol. 3A 4.7: P, W/R, U/S, RSVD, I/D. */
static const char *page_fault_text(uint64_t error_code)
{
	static const char *const texts[] = {
		"a read of a page that is not mapped",    "a read against the page's rights",
		"a write to a page that is not mapped",   "a write against the page's rights",
		"a fetch from a page that is not mapped", "a fetch against the page's rights",
	};

	if (error_code & 8)
		return "a reserved bit is set in the page tables";
	return texts[(error_code & 16 ? 4 : error_code & 2 ? 2 : 0) + (error_code & 1)];
}

static void event_text(const struct report_death *death, char *out, size_t size)
{
	const struct machine_event *event = &death->event;

	switch (event->type) {
	case MACHINE_TRIPLE_FAULT:
		snprintf(out, size,
			 "triple fault: neither the handler of a fault nor that of the double fault could be "
			 "entered");
		break;
	case MACHINE_EMULATION_FAILURE:
		snprintf(out, size, "emulation failure: KVM could not run this instruction");
		break;
	case MACHINE_MMIO:
		snprintf(out, size, "%s of %" PRIu32 " bytes at GPA 0x%" PRIx64 ", an address without memory",
			 event->is_write ? "a write" : "a read", event->length, event->address);
		break;
	case MACHINE_PORT:
		snprintf(out, size, "an access to I/O port 0x%" PRIx64 ", which no device has", event->value);
		break;
	case MACHINE_HALT: snprintf(out, size, "HLT, and nothing that could wake it"); break;
	case MACHINE_TIMEOUT:
		snprintf(out, size, "stopped: it ran longer than the time limit (--timeout)");
		break;
	case MACHINE_INTERRUPTED: snprintf(out, size, "stopped by a signal"); break;
	case MACHINE_KVM: snprintf(out, size, "KVM gave up: %s", event->text); break;
	default:
		if (death->oops.type)
			snprintf(out, size, "oops: an unexpected fault in the kernel");
		else
			snprintf(out, size, "it gave up%s%s", *death->last_words ? ": " : "",
				 death->last_words);
	}
}

/* The address whose access failed. False if the guest did not die of an access. */
static bool fault_address(const struct report_death *death, const struct registers *registers, uint64_t *out)
{
	if (death->oops.type) {
		*out = death->oops.value[0];
		return death->oops.status == VECTOR_PAGE_FAULT;
	}
	*out = registers->cr2;
	return death->event.type == MACHINE_TRIPLE_FAULT && registers->known && registers->cr2;
}

static const char *code_text(const uint8_t *code, size_t count, char *out, size_t size)
{
	struct strbuf list = strbuf_of(out, size);

	for (size_t i = 0; i < count && strbuf_room(&list) >= 3; i++)
		strbuf_add_item(&list, " ", "%02x", code[i]);
	return out;
}

static void show_registers(struct report *report, const struct registers *registers)
{
	for (size_t i = 0; i < REGISTERS; i += 3) {
		char text[128];
		struct strbuf list = STRBUF(text);

		for (size_t j = i; j < REGISTERS && j < i + 3; j++)
			strbuf_add_item(&list, "   ", "%-6s %016" PRIx64, register_names[j],
					registers->value[j]);
		text_line(report, PAINT_PLAIN, 6, 6, "%s", text);
	}
}

static void show_oops(struct report *report, const struct report_death *death)
{
	const struct kvmap_record *oops = &death->oops;

	text_line(report, PAINT_PLAIN, 2, 12, "fault     vector %u: %s; error code 0x%" PRIx64 "%s%s",
		  oops->status, vector_name(oops->status), oops->value[4],
		  oops->status == VECTOR_PAGE_FAULT ? ": " : "",
		  oops->status == VECTOR_PAGE_FAULT ? page_fault_text(oops->value[4]) : "");
}

static void show_text(struct report *report, const struct report_run *run, const struct registers *registers)
{
	const struct report_death *death = run->death;
	char what[240], location[400], bytes[64];
	uint64_t address;

	if (run->interrupted) {
		text_heading(report, "The run was interrupted");
		text_line(report, PAINT_BAD, 2, 2, "%s: %s", run->interrupted, run->interrupted_at);
	} else {
		text_heading(report, "The guest died");
		event_text(death, what, sizeof(what));
		text_line(report, PAINT_BAD, 2, 2, "%s", what);
	}
	if (death->oops.type)
		show_oops(report, death);
	if (fault_address(death, registers, &address))
		text_line(report, PAINT_PLAIN, 2, 12, "address   0x%016" PRIx64 ": %s", address,
			  address_explain(address, run->claims, run->symbols, location, sizeof(location)));
	if (!registers->known) {
		text_line(report, PAINT_PLAIN, 2, 12, "RIP       the registers could not be read");
		return;
	}
	text_line(report, PAINT_PLAIN, 2, 12, "RIP       0x%016" PRIx64 ": %s", registers->rip,
		  address_explain(registers->rip, run->claims, run->symbols, location, sizeof(location)));
	text_line(report, PAINT_PLAIN, 2, 12, "bytes     %s",
		  death->code_size ? code_text(death->code, death->code_size, bytes, sizeof(bytes))
				   : "none: RIP is not mapped");
	if (death->event.type == MACHINE_EMULATION_FAILURE && death->event.byte_count)
		text_line(report, PAINT_PLAIN, 2, 12, "KVM read  %s",
			  code_text(death->event.bytes,
				    death->event.byte_count < sizeof(death->event.bytes)
					    ? death->event.byte_count
					    : sizeof(death->event.bytes),
				    bytes, sizeof(bytes)));
	if (death->backtrace.count) {
		text_line(report, PAINT_PLAIN, 2, 12, "backtrace");
		backtrace_show(report, &death->backtrace, run->symbols);
	}
	text_line(report, PAINT_PLAIN, 2, 12, "registers");
	show_registers(report, registers);
}

static void emit_json(struct report *report, const struct report_run *run, const struct registers *registers)
{
	struct json_object *line = json_start(report, run->interrupted ? "interrupted" : "death");
	struct json_object *values = json_object_new_object();
	const struct report_death *death = run->death;
	char what[240], location[400], bytes[64];
	uint64_t address;

	event_text(death, what, sizeof(what));
	json_add_string(line, "what", what);
	if (run->interrupted) {
		json_add_string(line, "signal", run->interrupted);
		json_add_string(line, "where", run->interrupted_at);
	}
	if (death->oops.type) {
		json_add_number(line, "vector", death->oops.status);
		json_add_hex(line, "error_code", death->oops.value[4]);
	}
	if (death->event.type == MACHINE_MMIO)
		json_add_hex(line, "gpa", death->event.address);
	if (fault_address(death, registers, &address)) {
		json_add_hex(line, "address", address);
		json_add_string(
			line, "address_is",
			address_explain(address, run->claims, run->symbols, location, sizeof(location)));
	}
	if (registers->known) {
		json_add_hex(line, "rip", registers->rip);
		json_add_string(line, "rip_is",
				address_explain(registers->rip, run->claims, run->symbols, location,
						sizeof(location)));
		json_add_string(line, "bytes",
				code_text(death->code, death->code_size, bytes, sizeof(bytes)));
		for (size_t i = 0; i < REGISTERS; i++)
			json_add_hex(values, register_names[i], registers->value[i]);
	}
	json_object_object_add(line, "registers", values);
	if (death->backtrace.count)
		backtrace_emit(line, &death->backtrace, run->symbols);
	json_finish(report, line);
}

void part_death(struct report *report, const struct report_run *run)
{
	struct registers registers;

	if (!run->death)
		return;
	registers = find_registers(run->death);
	if (report->format == REPORT_TEXT)
		show_text(report, run, &registers);
	else
		emit_json(report, run, &registers);
}
