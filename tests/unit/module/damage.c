/* SPDX-License-Identifier: MIT */
/*
 * damage.c: damaged modules: opened, and relocated if they can be. Nothing may crash (build it with sanitizers) or take
 * long, and an error is one line with the file's name.
 *
 * Usage: module-damage FIRST-SEED COUNT, with the folder of the modules in MODULES. The same seed does the same damage.
 * Prints TAP.
 */
#include "modules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ADDRESS     0xffffffffa0000000ul
#define SECONDS_MAX 2.0
#define WORDS_MAX   6

static const char *const names[] = { "first-O0.o", "first-O2.o", "second-O0.o", "second-O2.o", "types.o" };
#define NAMES (sizeof(names) / sizeof(names[0]))

struct tally {
	uint64_t refused, unresolved, relocated;
	double slowest;
};

static const struct module_export exports[] = {
	{ "first_count", ADDRESS + 0x100000 },
	{ "first_values", ADDRESS + 0x101000 },
	{ "first_add", ADDRESS + 0x102000 },
	{ "first_word", ADDRESS + 0x103000 },
	{ "far", 1 },
	{ "near", 2 },
	{ "negative", 3 },
	{ "close", ADDRESS },
	{ NULL, 0 },
};

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* An offset at which something is: in the header, in the section headers, in relocations and symbols, or anywhere. */
static size_t any_place(const uint8_t *bytes, size_t size, uint64_t *random)
{
	Elf64_Ehdr header;
	Elf64_Shdr section;
	uint64_t choice = next_random(random), where;

	memcpy(&header, bytes, sizeof(header));
	where = header.e_shoff + choice / 8 % header.e_shnum * sizeof(section);
	memcpy(&section, bytes + where, sizeof(section));
	switch (choice % 8) {
	case 0: return next_random(random) % sizeof(header);
	case 1:
	case 2:
	case 3: return where + next_random(random) % sizeof(section);
	case 4: return next_random(random) % size;
	default:
		if (!section.sh_size || section.sh_type == SHT_NOBITS)
			return where;
		return section.sh_offset + next_random(random) % section.sh_size;
	}
}

static void damage_word(uint8_t *bytes, size_t size, size_t place, uint64_t *random)
{
	static const uint64_t values[] = { 0,    1, 0xff, 0xffff, 0x7fffffff, 0xffffffff, 0x7fffffffffffffff,
					   ~0ull };
	uint64_t choice = next_random(random), value = values[choice / 16 % 8];
	size_t width = (size_t)1 << choice / 4 % 4;

	if (choice % 4 == 0)
		value = next_random(random);
	if (choice % 4 == 1)
		value = bytes[place] ^ 1u << choice / 16 % 8;
	if (width > size - place)
		width = 1;
	memcpy(bytes + place, &value, width);
}

static void check_error(const char *name, const struct error *error, uint64_t seed)
{
	if (!strncmp(error->text, name, strlen(name)) && !strpbrk(error->text, "\n\033"))
		return;
	printf("Bail out! seed %" PRIu64 ": %s\n", seed, error->text);
	exit(1);
}

static void try_module(const char *name, const uint8_t *bytes, size_t size, uint64_t seed,
		       struct tally *tally)
{
	struct module_exports find = module_exports_of(exports);
	struct module_object object;
	struct error error;
	uint8_t *image;

	if (module_object_open(name, bytes, size, &object, &error) < 0) {
		tally->refused++;
		check_error(name, &error, seed);
		return;
	}
	image = malloc(object.span ? object.span : 1);
	if (!image)
		exit(2);
	if (module_relocate(&object, ADDRESS, &find, image, &error) < 0) {
		tally->unresolved++;
		check_error(name, &error, seed);
	} else {
		tally->relocated++;
	}
	free(image);
	module_object_close(&object);
}

static void try_seed(uint64_t seed, const struct module_bytes *files, struct tally *tally)
{
	uint64_t random = seed;
	size_t which = next_random(&random) % NAMES, size = files[which].size;
	unsigned int words = 1 + (unsigned int)(next_random(&random) % WORDS_MAX);
	uint8_t *bytes = malloc(size);
	double start = now(), seconds;

	if (!bytes)
		exit(2);
	memcpy(bytes, files[which].bytes, size);
	for (unsigned int i = 0; i < words; i++)
		damage_word(bytes, size, any_place(files[which].bytes, size, &random), &random);
	/* One of sixteen is truncated, in a buffer of its own size. */
	if (next_random(&random) % 16 == 0) {
		uint8_t *shorter;

		size = 1 + next_random(&random) % size;
		shorter = realloc(bytes, size);
		bytes = shorter ? shorter : bytes;
	}
	try_module(names[which], bytes, size, seed, tally);
	free(bytes);
	seconds = now() - start;
	tally->slowest = seconds > tally->slowest ? seconds : tally->slowest;
}

int main(int argc, char **argv)
{
	struct module_bytes files[NAMES];
	struct tally tally = { 0 };
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000;

	for (size_t i = 0; i < NAMES; i++)
		files[i] = module_bytes_read(names[i]);
	for (uint64_t i = 0; i < count; i++)
		try_seed(first + i, files, &tally);
	for (size_t i = 0; i < NAMES; i++)
		free(files[i].bytes);
	printf("# %" PRIu64 " damaged modules: %" PRIu64 " refused when opened, %" PRIu64
	       " when relocated, %" PRIu64 " relocated; at most %.3f s for one\n",
	       count, tally.refused, tally.unresolved, tally.relocated, tally.slowest);
	printf("1..2\n");
	printf("%s 1 - each outcome occurs\n",
	       tally.refused && tally.unresolved && tally.relocated ? "ok" : "not ok");
	printf("%s 2 - none takes more than %.0f s of CPU time\n",
	       tally.slowest <= SECONDS_MAX ? "ok" : "not ok", SECONDS_MAX);
	return 0;
}
