/* SPDX-License-Identifier: MIT */
/*
 * describe_all.c: prints what symbols_describe_frame() says of each address of a program's text, a line each.
 */
#include "program/symbols.h"

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	const struct symbols_segment *segments;
	struct symbols *symbols;
	struct error error;
	char text[1024];
	size_t count;

	if (argc != 2 || symbols_open(argv[1], &symbols, &error) < 0)
		return 2;
	count = symbols_segments(symbols, &segments);
	for (size_t i = 0; i < count; i++)
		for (uint64_t at = 0; segments[i].executable && at < segments[i].memory_size; at++)
			printf("%" PRIx64 " %s\n", segments[i].gva + at,
			       symbols_describe_frame(symbols, segments[i].gva + at, true, text,
						      sizeof(text)));
	symbols_close(symbols);
	return 0;
}
