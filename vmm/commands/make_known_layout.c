/* SPDX-License-Identifier: MIT */
/*
 * make_known_layout.c: a program of the build, no part of kvmap: prints known_layout as C.
 *
 * Usage: make-known-layout GUEST
 */
#include "claims/known_layout.h"

#include <stdio.h>

static void print_table(const struct build_id *id, const struct claims_layout *layout)
{
	printf("#include \"claims/known_layout.h\"\n\nconst struct known_layout known_layout = {\n\t.id = {");
	for (size_t i = 0; i < id->size; i++)
		printf(" 0x%02x,", id->bytes[i]);
	printf(" },\n\t.id_size = %zu,\n\t.types = {\n", id->size);
	for (size_t i = 0; i < CLAIM_TYPE_COUNT; i++)
		printf("\t\t{ %u, %u },\n", layout->types[i].offset, layout->types[i].size);
	printf("\t},\n};\n");
}

int main(int argc, char **argv)
{
	struct claims_layout *layout = NULL;
	struct symbols *symbols = NULL;
	struct build_id id = { .size = 0 };
	struct error error = { 0 };
	int status = 1;

	if (argc != 2)
		fprintf(stderr, "Usage: make-known-layout GUEST\n");
	else if (symbols_open(argv[1], &symbols, &error) < 0 ||
		 claims_layout_open(symbols, &layout, &error) < 0)
		fprintf(stderr, "make-known-layout: %s\n", error.text);
	else if (!build_id_of_file(symbols, &id))
		fprintf(stderr, "make-known-layout: %s has no build-id\n", argv[1]);
	else
		status = 0;
	if (!status)
		print_table(&id, layout);
	claims_layout_close(layout);
	symbols_close(symbols);
	return status;
}
