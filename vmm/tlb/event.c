/* SPDX-License-Identifier: MIT */
#include "tlb/event.h"

#include "base/page.h"
#include "base/x86.h"

static const struct {
	const char *word, *fields;
} kinds[TLB_EVENT_KINDS] = {
#define KIND(NAME, number, word, fields, meaning) [number] = { word, fields },
	TLB_EVENTS(KIND)
#undef KIND
};

const char *tlb_event_fields(unsigned int kind)
{
	return kind < TLB_EVENT_KINDS ? kinds[kind].fields : NULL;
}

const char *tlb_event_word(unsigned int kind)
{
	return kind < TLB_EVENT_KINDS && kinds[kind].word ? kinds[kind].word : "unknown";
}

static const char *flags_wrong(const struct tlb_event *event)
{
	switch (event->kind) {
	case TLB_STORE: return event->flags & ~TLB_STORE_OLD_KNOWN ? "unknown flags" : NULL;
	case TLB_INVPCID: return event->flags > TLB_INVPCID_ALL ? "type of INVPCID above 3" : NULL;
	case TLB_ACCESS:
		if (event->flags & 0x80)
			return "unknown flags";
		return (event->flags & TLB_ACCESS_WRITE) && (event->flags & TLB_ACCESS_FETCH)
			       ? "an access that writes and fetches"
			       : NULL;
	default: return event->flags ? "unknown flags" : NULL;
	}
}

/* GPAs of entries: below 2^52. */
static bool is_gpa(uint64_t gpa)
{
	return gpa <= (PTE_ADDRESS | (PAGE_4K - 1));
}

static const char *fields_wrong(const struct tlb_event *event)
{
	switch (event->kind) {
	case TLB_PAGE:
		return is_gpa(event->address) && !(event->address % PAGE_4K) ? NULL : "no GPA of a page";
	case TLB_STORE: return is_gpa(event->address) && !(event->address % 8) ? NULL : "no GPA of an entry";
	case TLB_INVPCID: return event->value > CR3_PCID ? "PCID above 4095" : NULL;
	case TLB_FRAMES_TAKEN:
	case TLB_FRAMES_RETURNED:
		if (!is_gpa(event->address) || event->value > PTE_ADDRESS + PAGE_4K)
			return "no range of GPAs";
		return event->value < event->address ? "a range that ends before it begins" : NULL;
	case TLB_RANGE_TAKEN:
	case TLB_RANGE_RETURNED:
	case TLB_FLUSH_RANGE:
		return event->value < event->address ? "a range that ends before it begins" : NULL;
	case TLB_ROUND_REQUEST:
	case TLB_FLUSHED: return event->old < event->address ? "a range that ends before it begins" : NULL;
	default: return NULL;
	}
}

const char *tlb_event_wrong(const struct tlb_event *event, unsigned int cpus)
{
	const char *wrong;

	if (!tlb_event_fields(event->kind))
		return "unknown kind of event";
	if (event->cpu >= cpus)
		return "a CPU that there is not";
	wrong = flags_wrong(event);
	return wrong ? wrong : fields_wrong(event);
}
