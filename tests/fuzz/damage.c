/* SPDX-License-Identifier: MIT */
/*
 * damage.c: what a hostile guest could leave in its memory. Takes a core, damages a few words of it, and asks
 * everything that kvmap can ask: claims, map, areas, walks, the verdict, as text and as JSON. Nothing may
 * crash (build it with sanitizers), take long, or let a byte through that a terminal should not see.
 *
 * Usage: with_core.sh kvmap-damage FIRST-SEED COUNT. The same seed does the same damage. Prints TAP.
 */
#include "guest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define WORDS_MAX   16
#define SECONDS_MAX 5.0

struct tally {
	unsigned int seeds, with_findings, unfit;
	double slowest;
	uint64_t slowest_seed;
};

/* CPU time of this process in seconds: other load on the machine does not count. */
static double now(void)
{
	struct timespec time;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) < 0)
		guest_die("no clock of CPU time");
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static uint64_t *any_word(const struct guest *guest, uint64_t *random)
{
	uint64_t *page = guest->pages.items[next_random(random) % guest->pages.count];
	uint64_t *word = page + next_random(random) % GUEST_PAGE_WORDS;

	/* Most words are zero, and most of what matters is not. */
	for (int tries = 0; !*word && tries < 64; tries++)
		word = page + next_random(random) % GUEST_PAGE_WORDS;
	return word;
}

static uint64_t damaged(const struct guest *guest, uint64_t value, uint64_t *random)
{
	uint64_t choice = next_random(random);

	switch (choice % 8) {
	case 0: return value ^ 1ull << (choice >> 8) % 64;
	case 1: return next_random(random);
	case 2: return *any_word(guest, random);
	case 3: return value + (choice >> 8 & 1 ? 1 : -1) * (1ull << (choice >> 16) % 40);
	case 4: return choice >> 8 & 1 ? 0 : ~0ull;
	case 5: return (value & ~0xffffffffull) | (uint32_t)next_random(random);
	case 6: return (value & 0xffffffffull) | next_random(random) << 32;
	default: return *any_word(guest, random) ^ (value & 0xfff);
	}
}

static unsigned int damage(const struct guest *guest, uint64_t seed, struct damaged_word *words)
{
	uint64_t random = seed;
	unsigned int count = 1 + (unsigned int)(next_random(&random) % WORDS_MAX);

	for (unsigned int i = 0; i < count; i++) {
		words[i].at = any_word(guest, &random);
		words[i].was = *words[i].at;
		*words[i].at = damaged(guest, words[i].was, &random);
	}
	return count;
}

static void ask(const struct guest *guest, uint64_t seed, struct tally *tally)
{
	struct damaged_word words[WORDS_MAX];
	unsigned int count = damage(guest, seed, words);
	char *text = NULL;
	size_t size;
	uint64_t seq = 0;
	struct report report = { .stream = open_memstream(&text, &size),
				 .format = seed & 1 ? REPORT_JSON : REPORT_TEXT,
				 .seq = &seq };
	struct guest_questions questions = { .what = ASK_ALL, .frames_by_claims = seed & 2 };
	uint64_t random = ~seed;
	double start = now(), seconds;

	if (!report.stream)
		guest_die("out of memory");
	for (int i = 0; i < GUEST_WALKS; i++) /* a pointer of the guest's, as often as not */
		questions.walks[i] = i & 1 ? next_random(&random) : *any_word(guest, &random);
	questions.frame = next_random(&random);
	tally->with_findings += guest_ask(&report, guest, &questions);
	fclose(report.stream);
	seconds = now() - start;
	if (seconds > tally->slowest) {
		tally->slowest = seconds;
		tally->slowest_seed = seed;
	}
	if (!guest_report_is_fit(text, report.format)) {
		printf("# seed %" PRIu64 " prints what is not fit for a terminal, or not JSON\n", seed);
		tally->unfit++;
	}
	free(text);
	tally->seeds++;
	guest_repair(words, count);
}

static void tell(int number, bool ok, const char *name)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", number, name);
}

int main(int argc, char **argv)
{
	struct guest guest = { 0 };
	struct tally tally = { 0 };
	const char *core = getenv("FUZZ_CORE"), *program = getenv("FUZZ_GUEST");
	uint64_t first, count;

	if (argc != 3 || !core || !program)
		guest_die("usage: with_core.sh kvmap-damage FIRST-SEED COUNT");
	first = strtoull(argv[1], NULL, 0);
	count = strtoull(argv[2], NULL, 0);
	guest_open(&guest, core, program);
	for (uint64_t seed = first; seed < first + count; seed++)
		ask(&guest, seed, &tally);
	guest_close(&guest);
	printf("# %u seeds, %u with findings; the slowest, %" PRIu64 ", took %.3f s of CPU time\n",
	       tally.seeds, tally.with_findings, tally.slowest_seed, tally.slowest);
	tell(1, tally.seeds == count, "every damaged guest can be looked at");
	tell(2, !tally.unfit, "what is printed about them is fit for a terminal, or JSON");
	tell(3, tally.slowest < SECONDS_MAX, "none takes long");
	/* Some damage hits what nobody claims anything about: contents, free memory. */
	tell(4, tally.with_findings > tally.seeds / 2, "most are found out");
	printf("1..4\n");
	return 0;
}
