/* SPDX-License-Identifier: MIT */
#include "report/vmallocinfo.h"

#include "base/escape.h"
#include "base/strbuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *vmallocinfo_caller(struct symbols *symbols, uint64_t address, char *out, size_t size)
{
	char place[256], escaped[400];
	uint64_t start, length = 0;
	char *plus;

	if (!symbols || !*symbols_describe(symbols, address, place, sizeof(place))) {
		snprintf(out, size, "0x%" PRIx64, address);
		return out;
	}
	place[strcspn(place, " ")] = '\0'; /* the line of the source follows */
	plus = strrchr(place, '+');
	if (plus)
		*plus = '\0';
	symbols_find(symbols, place, &start, &length);
	snprintf(out, size, "%s+%s/0x%" PRIx64, text_escape(place, strlen(place), escaped, sizeof(escaped)),
		 plus ? plus + 1 : "0x0", length);
	return out;
}

const char *vmallocinfo_flags(uint64_t flags, bool all, char *out, size_t size)
{
	static const struct {
		uint64_t flag;
		const char *word;
		bool linux_has;
	} words[] = {
#define ROW(name, value, word, linux_has) { name, word, linux_has },
		KVMAP_VM_FLAGS(ROW)
#undef ROW
	};
	struct strbuf list = strbuf_of(out, size);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (flags & words[i].flag && (all || words[i].linux_has))
			strbuf_add(&list, " %s", words[i].word);
		flags &= ~words[i].flag;
	}
	if (flags && all)
		strbuf_add(&list, " flags=0x%" PRIx64, flags);
	return out;
}

const char *vmallocinfo_nodes(const struct claims *claims, const struct claim_area *area, char *out,
			      size_t size)
{
	uint32_t pages[KVMAP_NODES_MAX] = { area->nr_pages };
	struct strbuf list = strbuf_of(out, size);

	if (claims->numa_node_count > 1)
		claims_numa_nodes(claims, claims->frames.items + area->first_frame, area->frame_count, pages);
	for (uint32_t node = 0; node < KVMAP_NODES_MAX; node++)
		if (pages[node])
			strbuf_add(&list, " N%" PRIu32 "=%" PRIu32, node, pages[node]);
	return out;
}
