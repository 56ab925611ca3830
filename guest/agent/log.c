/* SPDX-License-Identifier: MIT */
#include "agent/log.h"

#include "agent/channel.h"
#include "arch/percpu.h"
#include "kvmap/event_log.h"
#include "kvmap/layout.h"
#include "lib/platform.h"
#include "mm/arch.h"
#include "mm/page/page_alloc.h"

/* Without a host that reads: the sizes of a CPU's logs. */
#define OWN_SIZE   (4 * PAGE_SIZE)
#define OWN_SECOND 1024

/* The logs of a guest that has a place of its own; NULL: those of the host. */
static const struct kvmap_log *own;

static bool is_place(const struct kvmap_log_area *area, u64 gpa)
{
	return area->size >= KVMAP_LOG_SIZE_MIN && area->second >= KVMAP_LOG_SECOND_MIN &&
	       !(area->size % 64) && !(area->second % 64) && area->size <= KVMAP_LOW_RESERVED &&
	       area->second <= KVMAP_LOW_RESERVED &&
	       gpa + sizeof(*area) + ((u64)area->size + area->second) * arch_nr_cpus <= KVMAP_LOW_RESERVED;
}

static void open_own(void)
{
	const struct page *page = alloc_pages(GFP_KERNEL, get_order(OWN_SIZE * arch_nr_cpus));

	if (!page)
		panic("no memory for the event log");
	own = page_address(page);
	arch_log_open(page_address(page), OWN_SIZE - OWN_SECOND, OWN_SECOND);
}

void log_open(const struct kvmap_boot *record)
{
	const struct kvmap_log_area *area = __va(record->log_gpa);

	if (!(record->flags & KVMAP_BOOT_LOG))
		return;
	if (!record->log_gpa || !channel_is_open()) {
		open_own();
		return;
	}
	if (record->log_gpa >= KVMAP_LOW_RESERVED - sizeof(*area) || !is_place(area, record->log_gpa))
		panic("the boot record's event log makes no sense");
	arch_log_open((void *)(area + 1), area->size, area->second);
}

unsigned long log_overwritten(void)
{
	const char *log = (const char *)own;
	unsigned long laps = 0;

	for (u32 cpu = 0; own && cpu < arch_nr_cpus; cpu++, log += OWN_SIZE)
		laps += ((const struct kvmap_log *)log)->laps +
			((const struct kvmap_log *)(log + OWN_SIZE - OWN_SECOND))->laps;
	return laps;
}
