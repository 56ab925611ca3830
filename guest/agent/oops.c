/* SPDX-License-Identifier: MIT */
#include "agent/oops.h"
#include "agent/agent.h"
#include "agent/channel.h"
#include "agent/faults.h"
#include "agent/text.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/machine.h"
#include "arch/x86_64/percpu.h"
#include "kvmap/ports.h"
#include "mm/mm_types.h"

extern const char stack_bottom[];

/* Sets of six, in the order of KVMAP_RECORD_REGISTERS. */
static void registers_list(const struct registers *r, u64 list[3][6])
{
	const u64 all[3][6] = {
		{ r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi },
		{ r->rbp, r->rsp, r->r8, r->r9, r->r10, r->r11 },
		{ r->r12, r->r13, r->r14, r->r15, r->rflags, read_cr3() },
	};

	__builtin_memcpy(list, all, sizeof(all));
}

static void oops_record(const struct fault *fault, u64 vector, const u64 list[3][6])
{
	struct kvmap_record *record = channel_record(KVMAP_RECORD_OOPS);

	fault_record(fault, record);
	record->status = (u16)vector;
	record->operation = operation_index(agent_running[arch_cpu()]);
	channel_send();
	for (u32 i = 0; i < 3; i++) {
		record = channel_record(KVMAP_RECORD_REGISTERS);
		record->detail = i;
		__builtin_memcpy(record->value, list[i], sizeof(record->value));
		channel_send();
	}
	channel_ring(KVMAP_DOORBELL_OOPS);
}

static void oops_text(const struct fault *fault, u64 vector, const u64 list[3][6])
{
	static const char *const names[] = {
		"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",    "r8",
		"r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rflags", "cr3",
	};

	text("oops: exception ");
	text_decimal(vector);
	text(" at ");
	text_hex(fault->rip);
	text(", error code ");
	text_hex(fault->error_code);
	if (vector == TRAP_PF) {
		text(", address ");
		text_hex(fault->address);
		text(": ");
		fault_text(fault);
	}
	if (vector == TRAP_DF && (u64)stack_bottom - fault->address <= PAGE_SIZE)
		text(": the kernel's stack has overflown");
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		text(i % 6 ? " " : "\n");
		text(names[i]);
		text(" ");
		text_hex(list[i / 6][i % 6]);
	}
	text("\n");
}

void oops(const struct registers *registers, u64 address)
{
	static bool again;
	u64 list[3][6];
	struct fault fault = {
		.address = address,
		.rip = registers->rip,
		.error_code = registers->error_code,
	};

	/* An exception while one is reported: what is damaged is needed for the report. */
	if (again)
		machine_exit(KVMAP_EXIT_OOPS);
	again = true;
	registers_list(registers, list);
	if (registers->vector == TRAP_PF)
		fault_explain(&fault);
	if (channel_is_open())
		oops_record(&fault, registers->vector, list);
	if (!channel_is_open() || agent.serial)
		oops_text(&fault, registers->vector, list);
	machine_exit(KVMAP_EXIT_OOPS);
}
