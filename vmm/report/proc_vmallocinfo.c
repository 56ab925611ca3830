/* SPDX-License-Identifier: MIT */
/*
 * proc_vmallocinfo.c: `proc SOURCE vmallocinfo`, after vmalloc_info_show() of Linux's mm/vmalloc.c.
 */
#include "inspect/address.h"
#include "report/json.h"
#include "report/proc.h"
#include "report/vmallocinfo.h"

#include <inttypes.h>

static void put_live(struct report *report, const struct claims *claims, const struct claim_area *area,
		     const char *caller)
{
	char flags[200], nodes[160];

	fprintf(report->stream, "0x%016" PRIx64 "-0x%016" PRIx64 " %7" PRIu64, area->addr,
		area->addr + area->size, area->size);
	if (area->caller)
		fprintf(report->stream, " %s", caller);
	if (area->nr_pages)
		fprintf(report->stream, " pages=%" PRIu32, area->nr_pages);
	fprintf(report->stream, "%s%s\n", vmallocinfo_flags(area->flags, false, flags, sizeof(flags)),
		vmallocinfo_nodes(claims, area, nodes, sizeof(nodes)));
}

static void emit_area(struct report *report, const struct claim_area *area, const char *caller)
{
	struct json_object *line = json_start(report, "vmallocinfo");
	bool live = area->state == AREA_LIVE;

	json_add_hex(line, "start", live ? area->addr : area->va_start);
	json_add_hex(line, "end", live ? area->addr + area->size : area->va_end);
	json_add_number(line, "size", live ? area->size : area->va_end - area->va_start);
	json_add_string(line, "state", live ? address_area_state(area) : "unpurged");
	if (live) {
		json_add_string(line, "caller", caller);
		json_add_number(line, "pages", area->nr_pages);
		json_add_hex(line, "flags", area->flags);
	}
	json_finish(report, line);
}

void report_vmallocinfo(struct report *report, const struct report_proc *proc)
{
	char caller[500];

	for (size_t i = 0; i < proc->claims->areas.count; i++) {
		const struct claim_area *area = &proc->claims->areas.items[i];

		vmallocinfo_caller(proc->symbols, area->caller, caller, sizeof(caller));
		if (report->format == REPORT_JSON)
			emit_area(report, area, caller);
		else if (area->state == AREA_LIVE)
			put_live(report, proc->claims, area, caller);
		else
			fprintf(report->stream,
				"0x%016" PRIx64 "-0x%016" PRIx64 " %7" PRIu64 " unpurged vm_area\n",
				area->va_start, area->va_end, area->va_end - area->va_start);
	}
}
