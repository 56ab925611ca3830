/* SPDX-License-Identifier: MIT */
/*
 * fuzz_claims.c: the bytes say which words of a real guest's memory are overwritten, and with what; then
 * kvmap is asked about that guest.
 *
 * Input: records of 12 bytes: page (of those the guest has written), word, what to do, value. What is left
 * over in size says what is asked: nothing left over, everything, else one question, which is much faster.
 * The core and its program are named by FUZZ_CORE and FUZZ_GUEST (with_core.sh).
 */
#include "fuzz.h"
#include "guest.h"

#include <stdlib.h>

#define WORDS_MAX 64

enum { DO_SET, DO_ADD, DO_XOR, DO_COPY, DO_LOW, DO_HIGH, DO_COUNT };

#define RECORD_SIZE 12

static const unsigned int questions_by_rest[RECORD_SIZE] = {
	ASK_ALL,   ASK_VERDICT, ASK_AREAS,   ASK_MAP, ASK_FRAMES, ASK_DIFF,
	ASK_WALKS, 0,           ASK_VERDICT, ASK_MAP, ASK_FRAMES, ASK_DIFF,
};

static struct guest guest;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *core = getenv("FUZZ_CORE"), *program = getenv("FUZZ_GUEST");

	(void)argc;
	(void)argv;
	if (!core || !program)
		guest_die("FUZZ_CORE and FUZZ_GUEST are not set: see tests/fuzz/with_core.sh");
	guest_open(&guest, core, program);
	return 0;
}

static uint64_t *word_at(uint64_t page, uint64_t word)
{
	return guest.pages.items[page % guest.pages.count] + word % GUEST_PAGE_WORDS;
}

static struct damaged_word take_record(struct fuzz_input *input)
{
	uint64_t page = fuzz_number(input, 2), word = fuzz_number(input, 2);
	uint64_t value = fuzz_number(input, 8);
	struct damaged_word damaged = { .at = word_at(page, word) };
	uint64_t was = *damaged.at;

	damaged.was = was;
	switch ((word >> 9) % DO_COUNT) {
	case DO_SET: *damaged.at = value; break;
	case DO_ADD: *damaged.at = was + value; break;
	case DO_XOR: *damaged.at = was ^ value; break;
	case DO_COPY: *damaged.at = *word_at(value & 0xffff, value >> 16); break;
	case DO_LOW: *damaged.at = (was & ~0xffffffffull) | (uint32_t)value; break;
	case DO_HIGH: *damaged.at = (was & 0xffffffffull) | value << 32; break;
	}
	return damaged;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct damaged_word words[WORDS_MAX];
	struct guest_questions questions = { .what = questions_by_rest[size % RECORD_SIZE],
					     .frames_by_claims = size / RECORD_SIZE & 2 };
	unsigned int count = 0;
	char *text = NULL;
	size_t length;
	uint64_t seq = 0;
	struct report report = { .stream = open_memstream(&text, &length),
				 .format = size / RECORD_SIZE & 1 ? REPORT_JSON : REPORT_TEXT,
				 .seq = &seq };

	fuzz_expect(report.stream);
	for (; count < WORDS_MAX && input.left >= RECORD_SIZE; count++)
		words[count] = take_record(&input);
	for (unsigned int i = 0; count && i < GUEST_WALKS; i++)
		questions.walks[i] = *words[i % count].at;
	if (count)
		questions.frame = *words[count - 1].at;
	guest_ask(&report, &guest, &questions);
	fclose(report.stream);
	fuzz_expect(guest_report_is_fit(text, report.format));
	free(text);
	guest_repair(words, count);
	return 0;
}
