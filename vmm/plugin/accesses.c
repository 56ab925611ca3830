/* SPDX-License-Identifier: MIT */
/*
 * accesses.c: loads, stores and fetches. QEMU calls after the access was done. Nearly all of them are of no interest, which
 * is found without a lock: the CPU owes nothing at the address, and a store is to no page table.
 */
#include "base/page.h"
#include "base/x86.h"
#include "plugin/plugin.h"

/* The GPA that an access used; UINT64_MAX: not of memory. */
static uint64_t used_gpa(uint32_t access, uint64_t va)
{
	struct qemu_address *address = qemu_plugin_get_hwaddr(access, va);

	return address && !qemu_plugin_hwaddr_is_io(address) ? qemu_plugin_hwaddr_phys_addr(address)
							     : UINT64_MAX;
}

/* With the lock held. `part` of the access is in one page. */
static void feed_access(unsigned int cpu, uint64_t va, uint64_t gpa, unsigned int flags)
{
	feed(&(struct tlb_event){
		.kind = TLB_ACCESS,
		.flags = (uint8_t)(flags | (gpa == UINT64_MAX ? 0 : TLB_ACCESS_USED)),
		.cpu = (uint16_t)cpu,
		.address = va,
		.value = gpa == UINT64_MAX ? 0 : gpa,
	});
}

static void access_owing(unsigned int cpu, uint32_t access, uint64_t va, unsigned int flags, const void *data)
{
	uint64_t gpa;

	if (!tlb_may_owe(plugin.tlb, cpu, va))
		return;
	gpa = used_gpa(access, va);
	pthread_mutex_lock(&plugin.lock);
	plugin.cpus[cpu].pc = access_pc(data);
	feed_access(cpu, va, gpa, flags | (access_is_user(data) ? TLB_ACCESS_USER : 0));
	pthread_mutex_unlock(&plugin.lock);
}

/* The first byte of the access that is in another page; 0: none is. */
static inline uint64_t second_page(uint64_t va, uint32_t access)
{
	uint64_t last = va + (UINT64_C(1) << qemu_plugin_mem_size_shift(access)) - 1;

	return va / PAGE_4K == last / PAGE_4K ? 0 : page_round_down(last, PAGE_4K);
}

/* Whether the access may end in the next page: none is longer than 64 bytes. */
static inline bool is_near_end(uint64_t va)
{
	return va % PAGE_4K > PAGE_4K - 64;
}

void on_load(unsigned int cpu, uint32_t access, uint64_t va, void *data)
{
	uint64_t second;

	if (tlb_may_owe(plugin.tlb, cpu, va))
		access_owing(cpu, access, va, 0, data);
	if (is_near_end(va) && (second = second_page(va, access)))
		access_owing(cpu, access, second, 0, data);
}

/* Each entry of a table that the store changed, as it is now. With the lock held. */
static void feed_stores(unsigned int cpu, uint64_t gpa, uint64_t size)
{
	uint64_t last = gpa + size - 1, value;

	if (!tlb_watches(plugin.tlb, gpa)) {
		memory_unwatch(memory_index(gpa));
		return;
	}
	for (uint64_t at = page_round_down(gpa, 8); at <= last; at += 8)
		if (memory_entry(at, &value))
			feed(&(struct tlb_event){ .kind = TLB_STORE,
						  .cpu = (uint16_t)cpu,
						  .address = at,
						  .value = value,
						  .thread = plugin_thread(cpu) });
}

/* A part of a store that is in one page. */
static void store_part(unsigned int cpu, uint32_t access, uint64_t va, uint64_t size, bool is_owing,
		       const void *data)
{
	struct plugin_cpu *state = &plugin.cpus[cpu];
	struct seen *seen = &state->seen[va / PAGE_4K % SEEN_SLOTS];
	uint64_t key = (va / PAGE_4K ^ state->flushes << 40) | 1, gpa, index;

	/* An address that is translated anew without a flush has a debt, and is looked up each time. */
	if (seen->key == key && seen->index != UINT64_MAX && !memory_watches(seen->index) && !is_owing)
		return;
	gpa = used_gpa(access, va);
	index = gpa == UINT64_MAX ? UINT64_MAX : memory_index(gpa);
	*seen = (struct seen){ key, index };
	if (index == UINT64_MAX || !memory_watches(index))
		return;
	pthread_mutex_lock(&plugin.lock);
	state->pc = access_pc(data);
	feed_stores(cpu, gpa, size);
	pthread_mutex_unlock(&plugin.lock);
}

void on_store(unsigned int cpu, uint32_t access, uint64_t va, void *data)
{
	bool is_owing = tlb_may_owe(plugin.tlb, cpu, va);
	uint64_t size, first, second;

	if (is_owing && plugin.mode == MODE_ALL)
		access_owing(cpu, access, va, TLB_ACCESS_WRITE, data);
	size = first = UINT64_C(1) << qemu_plugin_mem_size_shift(access);
	second = is_near_end(va) ? second_page(va, access) : 0;
	if (second) {
		first = second - va;
		if (plugin.mode == MODE_ALL)
			access_owing(cpu, access, second, TLB_ACCESS_WRITE, data);
		store_part(cpu, access, second, size - first, true, data);
	}
	store_part(cpu, access, va, first, is_owing, data);
}

void on_fetch(unsigned int cpu, void *data)
{
	unsigned int flags = TLB_ACCESS_FETCH | ((uint64_t)data & 1 ? TLB_ACCESS_USER : 0);
	uint64_t va = plugin_register(REGISTER_RIP), last = va + ((uint64_t)data >> 1) - 1;

	for (uint64_t at = va; at / PAGE_4K <= last / PAGE_4K; at = page_round_down(at, PAGE_4K) + PAGE_4K) {
		if (!tlb_may_owe(plugin.tlb, cpu, at))
			continue;
		pthread_mutex_lock(&plugin.lock);
		plugin.cpus[cpu].pc = va;
		feed_access(cpu, at, UINT64_MAX, flags);
		pthread_mutex_unlock(&plugin.lock);
	}
}
