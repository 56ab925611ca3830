/* SPDX-License-Identifier: MIT */
/*
 * flushes.c: writes to control registers, INVLPG and INVPCID, and entries into ring 3. QEMU calls before the instruction
 * runs, so that a flush counts a moment early: what another CPU removes meanwhile is owed, and nothing else orders the two.
 */
#include "base/page.h"
#include "base/x86.h"
#include "plugin/plugin.h"

/* Before the first use of its tables: what decides about paging. */
static void begin_paging(unsigned int cpu, uint64_t cr0)
{
	struct plugin_cpu *state = &plugin.cpus[cpu];

	state->is_paging = cr0 & CR0_PG;
	if (!state->is_paging)
		return;
	state->root = plugin_register(REGISTER_CR3);
	feed(&(struct tlb_event){
		.kind = TLB_EFER, .cpu = (uint16_t)cpu, .value = plugin_register(REGISTER_EFER) });
	feed(&(struct tlb_event){
		.kind = TLB_CR4, .cpu = (uint16_t)cpu, .value = plugin_register(REGISTER_CR4) });
	feed(&(struct tlb_event){ .kind = TLB_CR3, .cpu = (uint16_t)cpu, .value = state->root });
}

static uint64_t operand(const struct flush_instruction *is)
{
	uint64_t address = is->offset;

	if (is->base != NO_REGISTER)
		address += plugin_register((enum plugin_register)is->base);
	if (is->index != NO_REGISTER)
		address += plugin_register((enum plugin_register)is->index) << is->scale;
	if (is->is_fs || is->is_gs)
		address += plugin_register(is->is_fs ? REGISTER_FS_BASE : REGISTER_GS_BASE);
	return address;
}

/* INVPCID's descriptor is in memory: the PCID, then the address (SDM vol. 2A, INVPCID). */
static bool invpcid(unsigned int cpu, const struct flush_instruction *is, uint64_t type,
		    struct tlb_event *event)
{
	unsigned int levels = plugin_register(REGISTER_CR4) & CR4_LA57 ? 5 : 4;
	uint64_t descriptor[2];

	if (type > TLB_INVPCID_ALL ||
	    !memory_read(plugin.cpus[cpu].root, levels, operand(is), descriptor, sizeof(descriptor)))
		return false;
	event->flags = (uint8_t)type;
	event->value = descriptor[0] & CR3_PCID;
	event->address = descriptor[1];
	return true;
}

static void feed_flush(unsigned int cpu, const struct flush_instruction *is, uint64_t value)
{
	struct plugin_cpu *state = &plugin.cpus[cpu];
	struct tlb_event event = { .cpu = (uint16_t)cpu, .value = value };

	switch (is->kind) {
	case FLUSH_INVLPG:
		event.kind = TLB_INVLPG;
		event.address = operand(is);
		break;
	case FLUSH_INVPCID:
		event.kind = TLB_INVPCID;
		if (!invpcid(cpu, is, value, &event))
			return;
		break;
	case FLUSH_CR0:
		event.kind = TLB_CR0;
		if (!!(value & CR0_PG) != state->is_paging)
			begin_paging(cpu, value);
		break;
	case FLUSH_CR3:
		event.kind = TLB_CR3;
		state->root = value;
		break;
	case FLUSH_CR4:
		event.kind = TLB_CR4;
		plugin.shared->pcids |= !!(value & CR4_PCIDE);
		break;
	}
	feed(&event);
}

void on_flush(unsigned int cpu, void *data)
{
	const struct flush_site *site = data;
	uint64_t value = plugin_register((enum plugin_register)site->is.value);

	pthread_mutex_lock(&plugin.lock);
	plugin.cpus[cpu].flushes++;
	plugin.cpus[cpu].pc = site->pc;
	feed_flush(cpu, &site->is, value);
	pthread_mutex_unlock(&plugin.lock);
}

uint64_t plugin_thread(unsigned int cpu)
{
	uint64_t base = plugin_register(REGISTER_FS_BASE);

	/* Kernel threads have none, and a thread that has not set it up yet may not be the only one. */
	return base ? (base << 12 ^ plugin.cpus[cpu].root >> 12 ^ base >> 52) | X86_BIT(63) : 0;
}

void on_user(unsigned int cpu, void *unused)
{
	(void)unused;
	pthread_mutex_lock(&plugin.lock);
	qemu_plugin_u64_set(plugin.user, cpu, 1);
	/* Others that have left it since: translated code notes that, and the model needs to know it now. */
	for (unsigned int other = 0; other < plugin.config.cpus; other++)
		if (other != cpu && plugin.cpus[other].is_user && !qemu_plugin_u64_get(plugin.user, other)) {
			plugin.cpus[other].is_user = false;
			feed(&(struct tlb_event){ .kind = TLB_KERNEL, .cpu = (uint16_t)other });
		}
	plugin.cpus[cpu].is_user = true;
	plugin.cpus[cpu].pc = plugin_register(REGISTER_RIP);
	feed(&(struct tlb_event){ .kind = TLB_USER, .cpu = (uint16_t)cpu, .thread = plugin_thread(cpu) });
	pthread_mutex_unlock(&plugin.lock);
}
