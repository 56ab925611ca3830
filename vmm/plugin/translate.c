/* SPDX-License-Identifier: MIT */
/*
 * translate.c: which instructions of a block call the plugin. A block is of one privilege level, of which QEMU keeps it
 * apart; one block may run at several virtual addresses of the same page.
 */
#include "plugin/translate.h"
#include "plugin/plugin.h"

#include <stdlib.h>

#define INSTRUCTION_MAX 15

static void watch_flush(struct qemu_instruction *instruction)
{
	uint64_t pc = qemu_plugin_insn_vaddr(instruction);
	uint8_t bytes[INSTRUCTION_MAX] = { 0 };
	size_t size = qemu_plugin_insn_data(instruction, bytes, sizeof(bytes));
	struct flush_instruction is;
	struct flush_site *site;

	if (!flush_instruction_decode(bytes, size, pc + size, &is))
		return;
	site = malloc(sizeof(*site)); /* never freed: QEMU does not say when a translation ends */
	if (!site) {
		feed_stop("out of memory");
		return;
	}
	*site = (struct flush_site){ is, pc };
	qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_flush, QEMU_READS_REGISTERS, site);
}

static void watch_accesses(struct qemu_instruction *instruction, bool is_user)
{
	void *data = access_data(qemu_plugin_insn_vaddr(instruction), is_user);

	if (plugin.mode == MODE_ALL)
		qemu_plugin_register_vcpu_mem_cb(instruction, on_load, QEMU_NO_REGISTERS, QEMU_LOADS, data);
	if (plugin.mode >= MODE_TABLES)
		qemu_plugin_register_vcpu_mem_cb(instruction, on_store, QEMU_NO_REGISTERS, QEMU_STORES, data);
}

void on_translate(uint64_t id, struct qemu_block *block)
{
	bool is_user = (plugin_register(REGISTER_CS) & 3) == 3;
	uint64_t size = 0;

	(void)id;
	if (plugin.has_stopped)
		return;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
		struct qemu_instruction *instruction = qemu_plugin_tb_get_insn(block, i);

		size += qemu_plugin_insn_size(instruction);
		/* In ring 3 they fault. */
		if (!is_user)
			watch_flush(instruction);
		watch_accesses(instruction, is_user);
	}
	if (plugin.mode == MODE_FLUSHES)
		return;
	if (is_user)
		qemu_plugin_register_vcpu_tb_exec_cond_cb(block, on_user, QEMU_READS_REGISTERS, QEMU_EQUAL,
							  plugin.user, 0, NULL);
	else
		qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(block, QEMU_STORE, plugin.user, 0);
	if (plugin.mode == MODE_ALL)
		qemu_plugin_register_vcpu_tb_exec_cond_cb(block, on_fetch, QEMU_READS_REGISTERS,
							  QEMU_NOT_EQUAL, plugin.fetches, 0,
							  (void *)(size << 1 | is_user));
}
