/* SPDX-License-Identifier: MIT */
#include "agent/agent.h"
#include "agent/channel.h"
#include "agent/faults.h"
#include "agent/text.h"
#include "arch/machine.h"
#include "arch/percpu.h"
#include "arch/sections.h"
#include "arch/traps.h"
#include "kvmap/ports.h"
#include "lib/platform.h"
#include "mm/mm_types.h"

static void oops_record(const struct fault *fault, u64 vector,
			const u64 list[REGISTER_SETS][REGISTERS_IN_SET])
{
	struct kvmap_record *record = channel_record(KVMAP_RECORD_OOPS);

	fault_record(fault, record);
	record->status = (u16)vector;
	record->operation = operation_index(agent_running[arch_cpu()]);
	channel_send();
	for (u32 i = 0; i < REGISTER_SETS; i++) {
		record = channel_record(KVMAP_RECORD_REGISTERS);
		record->detail = i;
		__builtin_memcpy(record->value, list[i], sizeof(record->value));
		channel_send();
	}
	doorbell_ring(KVMAP_DOORBELL_OOPS);
}

static void oops_text(const struct fault *fault, u64 vector, const u64 list[REGISTER_SETS][REGISTERS_IN_SET])
{
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
	for (u32 i = 0; i < REGISTER_SETS * REGISTERS_IN_SET; i++) {
		text(i % REGISTERS_IN_SET ? " " : "\n");
		text(register_names[i / REGISTERS_IN_SET][i % REGISTERS_IN_SET]);
		text(" ");
		text_hex(list[i / REGISTERS_IN_SET][i % REGISTERS_IN_SET]);
	}
	text("\n");
}

void oops(const struct registers *registers, u64 address)
{
	static bool again;
	u64 list[REGISTER_SETS][REGISTERS_IN_SET];
	struct fault fault = {
		.address = address,
		.rip = registers->rip,
		.error_code = registers->error_code,
	};

	/* A second exception during the report: the report itself needs what is damaged. */
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
